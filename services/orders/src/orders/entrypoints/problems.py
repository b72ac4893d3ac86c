"""Which status each error of orders has over HTTP: the one mapping."""

from collections.abc import Iterator
from contextlib import contextmanager

from webkit.problems import FieldError, Problem

from orders.errors import (
    ActionRefused,
    CannotPlace,
    IdempotencyConflict,
    ImportRunning,
    SoldOut,
    UnknownCase,
    UnknownItem,
    UnknownOrder,
    UnknownProduct,
    UnknownRefund,
    WrongAddress,
)

NO_ORDER = "There is no such order, or this token does not open it."


@contextmanager
def as_problems() -> Iterator[None]:
    """Translate what a handler raises.

    Raises:
        Problem: 404, 409 or 422, with a detail that says what to do.
    """
    try:
        yield
    except UnknownOrder as error:
        raise Problem(404, detail=NO_ORDER) from error
    except UnknownProduct as error:
        raise Problem(404, detail=str(error)) from error
    except UnknownRefund as error:
        raise Problem(404, detail="There is no such refund.") from error
    except UnknownItem as error:
        raise Problem(404, detail="This order has no such item.") from error
    except UnknownCase as error:
        raise Problem(404, detail="There is no such case.") from error
    except (SoldOut, IdempotencyConflict, ImportRunning, ActionRefused) as error:
        raise Problem(409, detail=str(error)) from error
    except (CannotPlace, WrongAddress) as error:
        field = FieldError(error.field, error.reason)
        raise Problem(422, "Invalid request", error.reason, errors=[field]) from error
