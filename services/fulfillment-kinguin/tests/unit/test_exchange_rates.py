"""Rates: what the bank's file says, and what is believed of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.ecb_rates import read_rates
from fulfillment_kinguin.adapters.fixed_rates import FixedRates
from fulfillment_kinguin.domain.exchange import Rate, check_plausible
from fulfillment_kinguin.errors import RateNotHeard, RateTooOld
from fulfillment_kinguin.testing import ecb_file

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAX_AGE = timedelta(hours=144)


def a_rate(usd: str, at: datetime = NOW, source: str = "ecb") -> Rate:
    return Rate(Decimal(usd), at, source)


def test_dollar_and_day_are_read_exactly() -> None:
    assert read_rates(ecb_file("1.1514", "2026-11-20")) == Rate(
        Decimal("1.1514"), datetime(2026, 11, 20, tzinfo=UTC), "ecb"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>maintenance",
        b"<html/>",
        ecb_file("1.1514", "2026-11-20")[:200],
        ecb_file("1.1514", "yesterday"),
        ecb_file("many", "2026-11-20"),
        ecb_file("0", "2026-11-20"),
        ecb_file("-1.1", "2026-11-20"),
        ecb_file("NaN", "2026-11-20"),
        ecb_file("1.1514", "2026-11-20").replace(b"'USD'", b"'XYZ'"),
        ecb_file("1.1514", "2026-11-20").replace(
            b"<gesmes:Envelope", b"<!DOCTYPE a [<!ENTITY b 'c'>]><gesmes:Envelope", 1
        ),
    ],
)
def test_anything_else_is_no_rate(body: bytes) -> None:
    with pytest.raises(RateNotHeard):
        read_rates(body)


@pytest.mark.parametrize(
    "heard",
    [a_rate("1.22"), a_rate("0.98"), a_rate("1.10", NOW + timedelta(days=2))],
)
def test_leap_or_a_date_of_the_future_is_a_mistake(heard: Rate) -> None:
    with pytest.raises(RateNotHeard):
        check_plausible(heard, a_rate("1.10"), NOW, MAX_AGE)


@pytest.mark.parametrize(
    "before", [None, a_rate("1.10", NOW - timedelta(days=7)), a_rate("1.10", source="settings")]
)
def test_leap_from_what_is_not_believed_any_more_is_none(before: Rate | None) -> None:
    check_plausible(a_rate("1.30"), before, NOW, MAX_AGE)


async def test_fixed_rate_is_believed_until_it_is_too_old() -> None:
    clock = FixedClock(NOW)
    rates = FixedRates(Decimal("1.10"), date(2026, 11, 23), clock, max_age=MAX_AGE)
    clock.advance(hours=132)

    assert (await rates.current()).usd_per_eur == Decimal("1.10")
    clock.advance(seconds=1)
    with pytest.raises(RateTooOld, match="2026-11-23"):
        await rates.current()


async def test_fixed_rate_without_a_day_never_ages() -> None:
    clock = FixedClock(NOW)
    rates = FixedRates(Decimal("1.10"), None, clock, max_age=MAX_AGE)
    clock.advance(days=400)

    assert (await rates.current()).usd_per_eur == Decimal("1.10")
