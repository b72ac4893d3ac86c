"""The job `return_keys`: give keys that nobody wants back to the supplier, or to own stock.

They go to stock only when the supplier has refused them or its window is over: a key under
return may be sold by somebody else at any moment.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, still_leased

from fulfillment_kinguin.adapters import key_repository, purchase_repository
from fulfillment_kinguin.domain.purchase import Purchase, PurchaseState
from fulfillment_kinguin.domain.return_keys import (
    FIRST_LOOK,
    WINDOW,
    NextStep,
    look_again_after,
    next_step,
    went_back,
)
from fulfillment_kinguin.errors import NothingBought, ReturnRefused, SupplierError
from fulfillment_kinguin.handlers.next_job import again_at, describe, not_before, nothing
from fulfillment_kinguin.handlers.settle_purchase import WAIT_FOR_A_PERSON
from fulfillment_kinguin.handlers.settle_return import SettleReturn
from fulfillment_kinguin.ports import KeySupplier

_WINDOW_OVER: Final = "the supplier takes keys back for 24 hours only"


class ReturnKeys:
    """Asks once, and follows the order until it says that its keys went back."""

    def __init__(
        self, supplier: KeySupplier, settle: SettleReturn, database: Database, clock: Clock
    ) -> None:
        self._supplier = supplier
        self._settle = settle
        self._database = database
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Perform the job."""
        async with self._database.transaction() as transaction:
            purchase = await purchase_repository.read(transaction, UUID(job.subject))
            bought_at = await key_repository.first_bought_at(transaction, purchase.id)
        back, order_id = purchase.giving_back, purchase.reservation_id
        if purchase.state is not PurchaseState.RETURN_REQUESTED or back is None or order_id is None:
            return nothing
        closes_at = (bought_at or back.requested_at) + WINDOW
        match next_step(back, self._clock.now(), closes_at=closes_at):
            case NextStep.ASK:
                return await self._ask(job, purchase, order_id)
            case NextStep.LOOK:
                return await self._look(purchase, order_id)
            case NextStep.TOO_LATE:
                return self._settle.to_stock(purchase.id, _WINDOW_OVER)
            case NextStep.PERSON:
                reason = "asked to take keys back, the supplier has neither done nor refused it"
                return self._settle.attention(purchase.id, reason)

    async def _ask(self, job: Job, purchase: Purchase, order_id: str) -> Settle:
        await self._supplier.wait_for_turn()
        if not await self._raise_fence(job, purchase):
            return again_at(self._clock.now())
        crash_point("kinguin.before_return")
        is_first = purchase.giving_back is not None and purchase.giving_back.posts == 0
        try:
            await self._supplier.return_keys(order_id)
        except ReturnRefused as error:
            if is_first:
                return self._settle.to_stock(purchase.id, describe(error))
            # The one before, whose answer was lost, may be why: the order will say.
            return self._later(purchase, error)
        except NothingBought as error:
            return self._settle.not_asked(purchase, error, self._clock.now() + WAIT_FOR_A_PERSON)
        except SupplierError as error:
            return self._later(purchase, error)
        crash_point("kinguin.after_return")
        return self._settle.taken(purchase.id, self._clock.now() + FIRST_LOOK)

    async def _raise_fence(self, job: Job, purchase: Purchase) -> bool:
        """Commit that it was asked before it is: who finds it looks first."""
        async with self._database.transaction() as transaction:
            found = await purchase_repository.lock(transaction, purchase.id)
            if not await still_leased(transaction, job):
                return False
            if found.giving_back != purchase.giving_back or found.giving_back is None:
                return False
            now, posts = self._clock.now(), found.giving_back.posts + 1
            await purchase_repository.update(
                transaction, found.id, now, return_posts=posts, return_looks=0
            )
        return True

    async def _look(self, purchase: Purchase, order_id: str) -> Settle:
        try:
            order = await self._supplier.order(order_id)
        except SupplierError as error:
            return self._later(purchase, error)
        if went_back(order, purchase.line.quantity):
            return self._settle.returned(purchase.id)
        return self._later(purchase, None)

    def _later(self, purchase: Purchase, error: SupplierError | None) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            now = self._clock.now()
            found = await purchase_repository.lock(transaction, purchase.id)
            if found.giving_back is None or found.state is not PurchaseState.RETURN_REQUESTED:
                return None
            # A look that failed has seen nothing.
            looks = found.giving_back.looks + (error is None)
            due_at = not_before(now + look_again_after(looks), error, now)
            await purchase_repository.update(
                transaction,
                found.id,
                now,
                return_looks=looks,
                next_attempt_at=due_at,
                last_error=None if error is None else describe(error),
            )
            return due_at

        return settle
