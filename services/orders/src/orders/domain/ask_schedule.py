"""When to ask again for what has no answer: after 10 minutes, then ever more rarely.

Each wait is as long as the order has waited so far, so the questions double in distance.
"""

from datetime import datetime, timedelta
from typing import Final

FIRST_QUESTION: Final = timedelta(minutes=10)
"""Well beyond what a delivery from stock or a quick purchase takes (seconds to 5 minutes)."""

LONGEST_WAIT: Final = timedelta(hours=12)


def next_question(now: datetime, *, paid_at: datetime, limit: timedelta) -> datetime:
    """When to look at an order next; at its limit in any case."""
    due_at = now + min(max(now - paid_at, FIRST_QUESTION), LONGEST_WAIT)
    end = paid_at + limit
    return min(due_at, end) if now < end else due_at
