"""The breaker and the caps, without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from contracts import Money
from fulfillment_kinguin.domain.choose_offer import PriceLimits
from fulfillment_kinguin.domain.guards import FAILURES_TO_OPEN, OPEN_FOR, Breaker, SpendCaps
from fulfillment_kinguin.errors import PriceAboveLimit, SpendCapReached, SupplierBroken
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CAPS = SpendCaps(hour_eur=Decimal(100), day_eur=Decimal(500))


def after_failures(number: int, every_s: float = 1) -> Breaker:
    breaker = Breaker()
    for n in range(number):
        breaker = breaker.after_failure(NOW + timedelta(seconds=n * every_s))
    return breaker


def test_five_failures_in_half_a_minute_open_the_breaker() -> None:
    assert after_failures(FAILURES_TO_OPEN - 1).open_until is None

    opened = after_failures(FAILURES_TO_OPEN)

    with pytest.raises(SupplierBroken) as refused:
        opened.let_one_try(NOW + timedelta(seconds=5))
    assert refused.value.retry_after_s == pytest.approx(OPEN_FOR.total_seconds() - 1)


def test_failures_far_apart_do_not_open_it() -> None:
    assert after_failures(20, every_s=31).open_until is None


def test_after_the_pause_one_may_try_and_the_others_wait_on() -> None:
    opened = after_failures(FAILURES_TO_OPEN)
    later = NOW + timedelta(seconds=60)

    half_open = opened.let_one_try(later)

    with pytest.raises(SupplierBroken):
        half_open.let_one_try(later)
    assert half_open.after_success() == Breaker()
    with pytest.raises(SupplierBroken):
        half_open.after_failure(later).let_one_try(later + timedelta(seconds=29))


@given(st.lists(st.booleans(), max_size=40))
def test_a_success_always_closes_it(events: list[bool]) -> None:
    breaker = Breaker()
    for n, is_failure in enumerate(events):
        moment = NOW + timedelta(seconds=n)
        breaker = breaker.after_failure(moment) if is_failure else breaker.after_success()

    assert breaker.after_success().let_one_try(NOW) == Breaker()


@pytest.mark.parametrize(("hour", "day"), [("90", "90"), ("0", "490")])
def test_what_stays_within_both_caps_is_let_through(hour: str, day: str) -> None:
    CAPS.check(Decimal(10), last_hour=Decimal(hour), last_day=Decimal(day))


@pytest.mark.parametrize(("hour", "day"), [("90.01", "90.01"), ("0", "490.01")])
def test_neither_cap_is_passed(hour: str, day: str) -> None:
    with pytest.raises(SpendCapReached, match="would pass the cap"):
        CAPS.check(Decimal(10), last_hour=Decimal(hour), last_day=Decimal(day))


def test_a_cost_that_leaves_less_than_the_margin_is_above_the_limit() -> None:
    limits = PriceLimits(Decimal("1.10"), margin_floor_percent=Decimal(20))
    price = Money(amount=Decimal("13.75"), currency="USD")

    limits.check(Decimal(10), price)
    with pytest.raises(PriceAboveLimit):
        limits.check(Decimal("10.01"), price)
