"""The poll schedule: the numbers the product was given."""

from datetime import timedelta

import pytest
from fulfillment_kinguin.domain.poll_schedule import FAST_PHASE, PollSchedule

GIVEN = PollSchedule.build(initial_s=2, factor=2, cap_s=30, max_attempts=10)


def test_waits_are_exactly_those_the_product_asks_for() -> None:
    assert GIVEN.delays_s == (2, 4, 8, 16, 30, 30, 30, 30, 30, 30)


def test_first_poll_comes_two_seconds_after_the_order() -> None:
    assert GIVEN.first == timedelta(seconds=2)
    assert GIVEN.fast_delay(1, timedelta(seconds=2)) == timedelta(seconds=4)


def test_fast_phase_is_over_after_its_last_poll() -> None:
    assert GIVEN.fast_delay(9, timedelta(seconds=180)) == timedelta(seconds=30)
    assert GIVEN.fast_delay(10, timedelta(seconds=210)) is None


def test_fast_phase_is_over_after_five_minutes_whatever_was_polled() -> None:
    assert GIVEN.fast_delay(3, FAST_PHASE) is None


@pytest.mark.parametrize("attempts", [20, 100])
def test_schedule_never_reaches_beyond_five_minutes(attempts: int) -> None:
    long = PollSchedule.build(initial_s=2, factor=2, cap_s=30, max_attempts=attempts)

    assert sum(long.delays_s) == 300
    assert len(long.delays_s) == 13


def test_one_wait_longer_than_the_phase_still_polls_once() -> None:
    assert PollSchedule.build(initial_s=900, factor=1, cap_s=900, max_attempts=3).delays_s == (900,)
