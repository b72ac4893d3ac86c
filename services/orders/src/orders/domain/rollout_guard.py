"""When Kinguin is taken back a step by itself: too few of its lines got their key in time.

Judged since the last step of the rollout, by lines that had their five minutes; the numbers
are those of the shop's rules for its suppliers.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

MIN_LINES: Final = 50
"""Fewer lines say nothing: with 50, one failure is two percent."""
IN_TIME: Final = timedelta(minutes=5)
STEPS_BACK: Final = (50, 10, 0)


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines asked for at Kinguin since the last step, that can be judged by now."""

    in_time: int
    late: int

    @property
    def judged(self) -> int:
        """All of them."""
        return self.in_time + self.late

    @property
    def success_percent(self) -> Decimal:
        """How many of a hundred had their key in time; 100 without any."""
        if not self.judged:
            return Decimal(100)
        return Decimal(100 * self.in_time) / self.judged


def step_back(percent: int, tally: Tally, least_percent: Decimal) -> int | None:
    """The percentage to go back to, or None to leave it; from 0 nothing leads back."""
    if tally.judged < MIN_LINES or tally.success_percent >= least_percent:
        return None
    return next((step for step in STEPS_BACK if step < percent), None)
