"""What a euro costs in US dollars, and for how long such a rate may be believed.

Kinguin charges euros and the shop sells for dollars: with an old rate the price limit of a
line would be compared with a price that nobody pays any more.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from fulfillment_kinguin.errors import RateNotHeard, RateTooOld

MAX_STEP: Final = Decimal("0.10")
"""A euro has never moved by a tenth between two reference rates: more than that is a mistake."""


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars for one euro, as of a moment; `source` is who said so."""

    usd_per_eur: Decimal
    rated_at: datetime
    source: str


def start_of(day: date) -> datetime:
    """The first moment of a day in UTC: rates are dated by the day."""
    return datetime.combine(day, time(), UTC)


def believed(rate: Rate | None, now: datetime, max_age: timedelta) -> Rate:
    """A rate that is young enough.

    Raises:
        RateTooOld: it is not, or there is none.
    """
    if rate is None:
        raise RateTooOld("no exchange rate is known")
    if now - rate.rated_at > max_age:
        raise RateTooOld(f"the exchange rate is of {rate.rated_at:%Y-%m-%d}")
    return rate


def check_plausible(heard: Rate, before: Rate | None, now: datetime, max_age: timedelta) -> None:
    """Refuse a rate of the future, and one that leaps from a rate that is still believed.

    Raises:
        RateNotHeard: it is kept out; the rate before stays.
    """
    if heard.rated_at > now + timedelta(days=1):
        raise RateNotHeard(f"the rate is dated {heard.rated_at:%Y-%m-%d}, in the future")
    if before is None or before.source != heard.source or now - before.rated_at > max_age:
        return
    if abs(heard.usd_per_eur / before.usd_per_eur - 1) > MAX_STEP:
        raise RateNotHeard(f"{heard.usd_per_eur} is too far from {before.usd_per_eur}")
