"""Time and identity come in as arguments, so that tests and simulations can set them."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC)


def version_at(now: datetime) -> int:
    """What a version is at least from this moment on: milliseconds since 1970.

    A counter that went back with a restored database would give numbers out again, and who follows
    it would take its news for old ones. Nobody counts up a version a thousand times a second.
    """
    return int(now.timestamp() * 1000)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): sorts by the time it was made."""
    return UUID(int=uuid7().int)
