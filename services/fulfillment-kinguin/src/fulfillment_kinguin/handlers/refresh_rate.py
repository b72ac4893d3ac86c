"""The job `refresh_rate`: hear what a euro costs, and let go on what waited for it."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from foundation.clock import Clock
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle

from fulfillment_kinguin.adapters import rate_repository
from fulfillment_kinguin.domain.exchange import Rate, check_plausible
from fulfillment_kinguin.domain.waiting import Waiting
from fulfillment_kinguin.errors import RateNotHeard
from fulfillment_kinguin.handlers.next_job import again_at
from fulfillment_kinguin.handlers.wake_purchases import wake_purchases
from fulfillment_kinguin.ports import RateSource

EVERY: Final = timedelta(hours=1)
AFTER_FAILURE: Final = timedelta(minutes=5)

_log = structlog.get_logger()


class RefreshRate:
    """Keeps the newest rate in a row; a failure leaves the one before and its age."""

    def __init__(
        self, source: RateSource, database: Database, clock: Clock, *, max_age: timedelta
    ) -> None:
        self._source = source
        self._database = database
        self._clock = clock
        self._max_age = max_age

    async def __call__(self, _job: Job) -> Settle:
        """Perform the job."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            before = await rate_repository.read(transaction)
        try:
            heard = await self._source.latest()
            check_plausible(heard, before, now, self._max_age)
        except RateNotHeard as error:
            _log.warning("rate.not_heard", error=str(error))
            return again_at(now + AFTER_FAILURE)
        return self._settle(heard)

    def _settle(self, heard: Rate) -> Settle:
        async def settle(transaction: Transaction) -> datetime:
            now = self._clock.now()
            await rate_repository.save(transaction, heard, now)
            if now - heard.rated_at <= self._max_age:
                await wake_purchases(transaction, Waiting.RATE, now)
            return now + EVERY

        return settle
