from datetime import UTC, datetime, timedelta

import pytest
from foundation.testing import FixedClock
from persistence.clock_check import MAX_CLOCK_DIFFERENCE, ClockDiffers, check_clock
from persistence.database import Database

A_LOT = MAX_CLOCK_DIFFERENCE + timedelta(seconds=10)
A_LITTLE = MAX_CLOCK_DIFFERENCE - timedelta(seconds=10)


def clock_off_by(difference: timedelta) -> FixedClock:
    return FixedClock(datetime.now(UTC) + difference)


@pytest.mark.parametrize(
    ("difference", "words"), [(A_LOT, "s ahead of"), (-A_LOT, "s behind"), (2 * -A_LOT, "s behind")]
)
async def test_clock_that_is_off_is_refused(
    database: Database, difference: timedelta, words: str
) -> None:
    with pytest.raises(ClockDiffers, match=words) as refused:
        await check_clock(database, clock_off_by(difference))

    assert "DATABASE_URL" in str(refused.value)
    assert "NTP" in str(refused.value)


@pytest.mark.parametrize("difference", [timedelta(), A_LITTLE, -A_LITTLE])
async def test_clock_that_is_nearly_right_is_taken(
    database: Database, difference: timedelta
) -> None:
    await check_clock(database, clock_off_by(difference))
