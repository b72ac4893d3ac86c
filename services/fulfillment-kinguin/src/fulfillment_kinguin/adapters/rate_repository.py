"""The exchange rate as a row, so that replicas and restarts share what one of them heard."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from foundation.clock import Clock
from persistence.database import Database, Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_kinguin.adapters.tables import exchange_rates
from fulfillment_kinguin.domain.exchange import Rate, believed

_USD: Final = "USD"


class StoredRates:
    """`ExchangeRates` from the row."""

    def __init__(self, database: Database, clock: Clock, *, max_age: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._max_age = max_age

    async def current(self) -> Rate:
        """See `ExchangeRates.current`."""
        async with self._database.transaction() as transaction:
            rate = await read(transaction)
        return believed(rate, self._clock.now(), self._max_age)


async def read(transaction: Transaction) -> Rate | None:
    """The rate that was heard last; None before the first."""
    query = sa.select(exchange_rates).where(exchange_rates.c.currency == _USD)
    row = (await transaction.execute(query)).one_or_none()
    return None if row is None else Rate(row.rate, row.rated_at, row.source)


async def save(transaction: Transaction, rate: Rate, now: datetime) -> None:
    """Keep a rate; an older one of the same source changes nothing."""
    values = {
        "rate": rate.usd_per_eur,
        "rated_at": rate.rated_at,
        "source": rate.source,
        "heard_at": now,
    }
    is_newer = sa.or_(
        exchange_rates.c.rated_at <= rate.rated_at, exchange_rates.c.source != rate.source
    )
    await transaction.execute(
        insert(exchange_rates)
        .values(currency=_USD, **values)
        .on_conflict_do_update(
            index_elements=[exchange_rates.c.currency], set_=values, where=is_newer
        )
    )
