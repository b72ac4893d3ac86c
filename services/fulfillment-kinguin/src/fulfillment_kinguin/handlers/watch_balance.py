"""The job `watch_balance`: hear what the account can spend, and let go on what waited for it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from fulfillment_kinguin.domain.waiting import Waiting
from fulfillment_kinguin.errors import NotSupported, SupplierError
from fulfillment_kinguin.handlers.guard_spending import GuardSpending
from fulfillment_kinguin.handlers.next_job import again_at, nothing
from fulfillment_kinguin.handlers.wake_purchases import wake_purchases
from fulfillment_kinguin.ports import KeySupplier

EVERY: Final = timedelta(minutes=1)

_log = structlog.get_logger()


class WatchBalance:
    """Keeps the balance in the guards' row; a failure leaves the last figure and its age."""

    def __init__(self, supplier: KeySupplier, guard: GuardSpending, clock: Clock) -> None:
        self._supplier = supplier
        self._guard = guard
        self._clock = clock

    async def __call__(self, _job: Job) -> Settle:
        """Perform the job; where the dialect does not tell, it ends."""
        asked_at = self._clock.now()
        try:
            balance = await self._supplier.balance()
        except NotSupported:
            _log.info("balance.not_told")
            return nothing
        except SupplierError as error:
            _log.warning("balance.not_heard", error=repr(error))
            return again_at(asked_at + EVERY)
        return self._settle(balance, asked_at)

    def _settle(self, balance: Decimal, asked_at: datetime) -> Settle:
        async def settle(transaction: Transaction) -> datetime:
            if await self._guard.heard_balance(transaction, balance, asked_at):
                await wake_purchases(transaction, Waiting.BALANCE, self._clock.now())
            return self._clock.now() + EVERY

        return settle
