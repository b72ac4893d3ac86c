"""What PostgreSQL's failures mean to somebody who waits for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from payments.errors import NotStored

_log = structlog.get_logger()


@contextmanager
def storing() -> Iterator[None]:
    """Say plainly that nothing was kept.

    Raises:
        NotStored: whatever the reason was; it is in the log.
    """
    try:
        yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        _log.error("ipn.not_stored", error=type(error).__name__)
        raise NotStored("the database did not take it") from error
