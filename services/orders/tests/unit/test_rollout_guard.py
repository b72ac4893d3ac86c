"""When the rollout goes back, and how far."""

from decimal import Decimal

import pytest
from orders.domain.rollout_guard import Tally, step_back

LEAST = Decimal(99)


@pytest.mark.parametrize(
    ("percent", "lower"), [(100, 50), (75, 50), (50, 10), (20, 10), (10, 0), (1, 0), (0, None)]
)
def test_it_goes_one_step_back(percent: int, lower: int | None) -> None:
    assert step_back(percent, Tally(in_time=40, late=20), LEAST) == lower


@pytest.mark.parametrize(
    "tally",
    [
        Tally(0, 0),
        Tally(0, 49),  # too few to judge
        Tally(50, 0),
        Tally(99, 1),  # exactly the least that is asked for
        Tally(990, 10),
    ],
)
def test_it_stays_while_enough_come_in_time_or_too_few_were_asked_for(tally: Tally) -> None:
    assert step_back(100, tally, LEAST) is None


@pytest.mark.parametrize("tally", [Tally(49, 1), Tally(98, 2), Tally(989, 11)])
def test_one_too_many_is_enough(tally: Tally) -> None:
    assert step_back(100, tally, LEAST) == 50
