"""Which status each error of fulfillment-kinguin has over HTTP: the one mapping."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from webkit.problems import Problem

from fulfillment_kinguin.errors import (
    ActionRefused,
    NotFound,
    NotSupported,
    SupplierError,
    Unauthorized,
    Unclear,
    UnknownPurchase,
)

_RETRY_S = 5.0


@contextmanager
def as_problems() -> Iterator[None]:
    """Translate what a handler or the supplier raises.

    Raises:
        Problem: with a detail that says what to do.
    """
    try:
        yield
    except UnknownPurchase as error:
        raise Problem(404, detail="There is no such purchase.") from error
    except ActionRefused as error:
        raise Problem(409, detail=str(error)) from error
    except SupplierError as error:
        raise _supplier_problem(error) from error


def _supplier_problem(error: SupplierError) -> Problem:
    match error:
        case NotFound():
            return Problem(404, detail="Kinguin has no such product on sale.")
        case NotSupported():
            return Problem(501, detail=f"{error}.")
        case Unauthorized():
            return Problem(502, detail="Kinguin refuses our key: check KINGUIN_API_KEY.")
        case Unclear():
            wait = str(ceil(error.retry_after_s or _RETRY_S))
            detail = "Kinguin does not answer as it should; try again soon."
            return Problem(503, detail=detail, headers={"Retry-After": wait})
        case _:
            return Problem(502, detail="Kinguin refused the request.")
