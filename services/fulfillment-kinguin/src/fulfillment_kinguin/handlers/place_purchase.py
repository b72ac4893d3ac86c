"""The job `place`: take a planned purchase to Kinguin."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from foundation.log_ids import add_log_ids
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, retry_delay

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import PLACE, Purchase, PurchaseState
from fulfillment_kinguin.errors import SupplierError, Unclear
from fulfillment_kinguin.handlers.buy_once import BuyOnce
from fulfillment_kinguin.handlers.guard_spending import GuardSpending
from fulfillment_kinguin.handlers.next_job import describe, not_before, nothing, pass_on
from fulfillment_kinguin.handlers.plan_purchase import PlanPurchase, hand_back
from fulfillment_kinguin.handlers.tell_line import tell_line

_SAY_DELAYED_AFTER: Final = timedelta(minutes=5)


class PlacePurchase:
    """Buys what is planned; what is found half done is searched for instead."""

    def __init__(
        self,
        buy: BuyOnce,
        plan: PlanPurchase,
        guard: GuardSpending,
        database: Database,
        clock: Clock,
    ) -> None:
        self._buy = buy
        self._plan = plan
        self._guard = guard
        self._database = database
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Perform the job."""
        async with self._database.transaction() as transaction:
            purchase = await purchase_repository.read(transaction, UUID(job.subject))
            may_go_out = await self._plan.may_go_out(transaction)
        add_log_ids(order_id=purchase.line.order_id, line_id=purchase.line.id)
        match purchase.state:
            case PurchaseState.PLANNED if not may_go_out:
                return self._settle_hand_back(purchase)
            case PurchaseState.PLANNED:
                return await self._place(job, purchase)
            case PurchaseState.PLACING:
                lost = Unclear("the process ended while it was placing the order")
                return self._buy.settle_unclear(job, purchase, lost)
            case _:
                return nothing

    async def _place(self, job: Job, purchase: Purchase) -> Settle:
        try:
            return await self._buy(job, purchase)
        except SupplierError as error:
            return self._settle_retry(job, purchase, error)

    def _settle_retry(self, job: Job, purchase: Purchase, error: SupplierError) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            now = self._clock.now()
            found = await purchase_repository.lock(transaction, purchase.id)
            if found.state is not PurchaseState.PLANNED:
                return None
            await self._guard.failed(transaction, now)
            reason = describe(error)
            await purchase_repository.update(transaction, found.id, now, last_error=reason)
            if now - found.created_at >= _SAY_DELAYED_AFTER:
                reason = "the supplier does not answer"
                await tell_line(transaction, found.line, LineState.DELAYED, reason, now)
            due_at = not_before(now + retry_delay(job.attempt), error, now)
            return await pass_on(transaction, job, PLACE, found.id, due_at, now)

        return settle

    def _settle_hand_back(self, purchase: Purchase) -> Settle:
        async def settle(transaction: Transaction) -> None:
            found = await purchase_repository.lock(transaction, purchase.id)
            await hand_back(transaction, found, self._clock.now())

        return settle
