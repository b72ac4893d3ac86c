"""Whether this machine and PostgreSQL agree about the time, asked before a service starts."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from foundation.clock import Clock
from foundation.refusals import Refusal

from persistence.database import Database

_NOW: Final = sa.select(sa.func.clock_timestamp())
MAX_CLOCK_DIFFERENCE: Final = timedelta(seconds=30)
"""Tokens, links and expiry compare times of several machines; NTP keeps well below 1 s."""


class ClockDiffers(Refusal):
    """This machine and PostgreSQL's do not agree about the time."""

    def __init__(self, difference: timedelta) -> None:
        seconds = difference.total_seconds()
        relation = "ahead of" if seconds > 0 else "behind"
        super().__init__(
            f"the clock of this machine is {abs(seconds):.0f} s {relation} that of PostgreSQL at "
            "DATABASE_URL: set both by NTP, then start again"
        )


async def check_clock(database: Database, clock: Clock) -> None:
    """Compare with PostgreSQL's clock; what the question takes on its way is not held against it.

    Raises:
        ClockDiffers: by more than `MAX_CLOCK_DIFFERENCE`.
    """
    async with database.engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))  # so that connecting is not measured
        before = clock.now()
        theirs: datetime = (await connection.execute(_NOW)).scalar_one()
        after = clock.now()
    if before - theirs > MAX_CLOCK_DIFFERENCE:
        raise ClockDiffers(before - theirs)
    if theirs - after > MAX_CLOCK_DIFFERENCE:
        raise ClockDiffers(after - theirs)
