"""The gateway is asked ever more rarely, exactly at expiry, and for thirty days after it."""

from datetime import datetime, timedelta
from itertools import pairwise

from payments.domain.reconcile_schedule import KEEP_ASKING, RAREST, ask_again, next_reconcile
from payments.testing import NOW

EXPIRES_AT = NOW + timedelta(hours=1)
FIRST = timedelta(minutes=1)


def questions(*, is_settled: bool = False, in_flight: bool = False) -> list[datetime]:
    times, at = [], NOW
    while due_at := next_reconcile(
        at,
        placed_at=NOW,
        expires_at=EXPIRES_AT,
        first=FIRST,
        is_settled=is_settled,
        in_flight=in_flight,
    ):
        times.append(due_at)
        at = due_at
    return times


def test_questions_end_thirty_days_after_expiry_and_one_is_at_expiry() -> None:
    times = questions()

    assert times[0] == NOW + FIRST
    assert times[-1] == EXPIRES_AT + KEEP_ASKING
    assert EXPIRES_AT in times
    assert len(times) < 100


def test_waits_grow_after_expiry_and_are_bounded() -> None:
    times = [at for at in questions() if at >= EXPIRES_AT]

    waits = [later - earlier for earlier, later in pairwise(times)][:-1]
    assert waits == sorted(waits)
    assert max(waits) == RAREST


def test_money_on_its_way_is_asked_about_every_five_minutes() -> None:
    waits = [later - earlier for earlier, later in pairwise(questions(in_flight=True))]

    assert max(waits) <= timedelta(minutes=5)


def test_settled_order_is_asked_about_rarely_until_the_same_end() -> None:
    times = questions(is_settled=True)

    assert min(later - earlier for earlier, later in pairwise(times[:-1])) >= timedelta(hours=6)
    assert times[-1] == EXPIRES_AT + KEEP_ASKING


def test_unanswered_questions_are_repeated_soon_and_hourly_at_worst() -> None:
    second = timedelta(seconds=1)
    ages = (timedelta(0), timedelta(hours=2), timedelta(days=20))

    waits = [ask_again(NOW + age, placed_at=NOW, at_least=second) - (NOW + age) for age in ages]

    assert waits == [second, timedelta(minutes=6), timedelta(hours=1)]
