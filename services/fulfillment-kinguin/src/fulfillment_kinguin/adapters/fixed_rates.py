"""The exchange rate that stands in the settings, with the day it is of.

A rate without a day never ages: for development, where the euros are not real.
"""

from datetime import date, timedelta
from decimal import Decimal

from foundation.clock import Clock

from fulfillment_kinguin.domain.exchange import Rate, believed, start_of


class FixedRates:
    """`ExchangeRates` and `RateSource` of one number."""

    def __init__(
        self, usd_per_eur: Decimal, day: date | None, clock: Clock, *, max_age: timedelta
    ) -> None:
        self._usd_per_eur = usd_per_eur
        self._day = day
        self._clock = clock
        self._max_age = max_age

    async def current(self) -> Rate:
        """See `ExchangeRates.current`."""
        return believed(await self.latest(), self._clock.now(), self._max_age)

    async def latest(self) -> Rate:
        """See `RateSource.latest`."""
        rated_at = self._clock.now() if self._day is None else start_of(self._day)
        return Rate(self._usd_per_eur, rated_at, "settings")
