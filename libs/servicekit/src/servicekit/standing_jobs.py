"""Jobs that are always there: made, or brought forward, when a process starts.

Each is one row, so of all replicas one does the work; it comes again by itself.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self

from foundation.clock import Clock
from persistence.database import Database

from servicekit.jobs import schedule

SUBJECT: Final = "standing"


class StandingJobs(AbstractAsyncContextManager["StandingJobs"]):
    """Schedules its kinds on entering."""

    def __init__(self, kinds: Sequence[str], database: Database, clock: Clock) -> None:
        self._kinds = kinds
        self._database = database
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Have each kind done now."""
        async with self._database.transaction() as transaction:
            for kind in sorted(self._kinds):
                await schedule(transaction, kind, SUBJECT, self._clock.now())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """The rows stay for the other replicas and the next start."""
