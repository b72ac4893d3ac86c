"""When to look at an order: 2, 4, 8, 16, then every 30 s, then every 5 minutes.

Pure: made once from `backoff.expo`, read by whoever plans the next poll. There is no
jitter, since each order has its own start. Nothing sleeps here: the waits are due times
in rows, so a restart changes nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, islice
from typing import Final, Self

import backoff

FAST_PHASE: Final = timedelta(seconds=300)
SLOW_INTERVAL: Final = timedelta(minutes=5)
SLOW_PHASE: Final = timedelta(hours=24)
"""After this, counted from the order, a person looks: the money is spent and never dropped."""


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """The waits before each fast poll, in seconds."""

    delays_s: tuple[float, ...]

    @classmethod
    def build(cls, *, initial_s: float, factor: float, cap_s: float, max_attempts: int) -> Self:
        """`max_attempts` growing waits, cut where they would pass the end of the fast phase."""
        waits = backoff.expo(base=factor, factor=initial_s, max_value=cap_s)
        next(waits)  # the generator's first value only starts it
        delays = tuple(islice(waits, max_attempts))
        limit = FAST_PHASE.total_seconds()
        fitting = sum(1 for elapsed in accumulate(delays) if elapsed <= limit)
        return cls(delays[: max(fitting, 1)])

    @property
    def first(self) -> timedelta:
        """From the order to the first poll."""
        return timedelta(seconds=self.delays_s[0])

    def fast_delay(self, polls: int, elapsed: timedelta) -> timedelta | None:
        """The wait after `polls` polls, or None when the fast phase is over.

        It is over after all of its polls or after 300 s since the order, whichever ends first.
        """
        if polls >= len(self.delays_s) or elapsed >= FAST_PHASE:
            return None
        return timedelta(seconds=self.delays_s[polls])
