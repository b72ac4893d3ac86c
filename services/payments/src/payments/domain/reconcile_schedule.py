"""When to ask the gateway about an order next: ever more rarely, until 30 days after expiry.

Half as long again as the order is old; more often while money is on its way, and rarely
once the order is settled, when only further deposits are looked for.
"""

from datetime import datetime, timedelta
from typing import Final

KEEP_ASKING: Final = timedelta(days=30)
"""After expiry (design, section 3)."""
RAREST: Final = timedelta(hours=12)
SETTLED: Final = timedelta(hours=6)
IN_FLIGHT: Final = timedelta(minutes=5)
RAREST_REPEAT: Final = timedelta(hours=1)


def next_reconcile(
    now: datetime,
    *,
    placed_at: datetime,
    expires_at: datetime,
    first: timedelta,
    is_settled: bool = False,
    in_flight: bool = False,
) -> datetime | None:
    """The next time, or None when everything has been asked that will be.

    The last question is asked at the very end, and one exactly at expiry. `first` is the
    shortest wait.
    """
    end = expires_at + KEEP_ASKING
    if now >= end:
        return None
    wait = min(max((now - placed_at) / 2, first), RAREST)
    if is_settled:
        return min(now + max(wait, SETTLED), end)
    if in_flight:
        wait = min(wait, IN_FLIGHT)
    due_at = now + wait
    if now < expires_at < due_at:
        return expires_at
    return min(due_at, end)


def ask_again(now: datetime, *, placed_at: datetime, at_least: timedelta) -> datetime:
    """When to repeat questions that found no answer: soon for a young order, hourly at worst."""
    return now + max(at_least, min((now - placed_at) / 20, RAREST_REPEAT))
