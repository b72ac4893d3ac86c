"""Buy, with one POST and a fence before it.

The state `placing` is committed, under a lease that is ours and fresh and with the switch on,
before the POST goes out. Whoever finds that state later knows that an answer was lost, and
searches.
"""

from datetime import datetime
from typing import Final

from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, still_leased

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.purchase import Purchase, PurchaseState
from fulfillment_kinguin.domain.supply import Choice, OrderToPlace
from fulfillment_kinguin.errors import NothingBought, NotNow, SupplierError, SwitchedOff
from fulfillment_kinguin.handlers.guard_spending import GuardSpending
from fulfillment_kinguin.handlers.next_job import again_at
from fulfillment_kinguin.handlers.plan_purchase import hand_back
from fulfillment_kinguin.handlers.quote_price import Quote, QuotePrice
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.ports import KeySupplier

_POSTABLE: Final = frozenset({PurchaseState.PLANNED, PurchaseState.UNKNOWN})


class BuyOnce:
    """Asks the price, raises the fence, posts, and says what to write."""

    def __init__(
        self,
        supplier: KeySupplier,
        settle: SettlePurchase,
        database: Database,
        clock: Clock,
        quote: QuotePrice,
        guard: GuardSpending,
    ) -> None:
        self._supplier = supplier
        self._settle = settle
        self._database = database
        self._clock = clock
        self._quote = quote
        self._guard = guard

    async def __call__(self, job: Job, purchase: Purchase) -> Settle:
        """Place the order of a purchase that is planned, or surely was never placed.

        Raises:
            SupplierError: the price cannot be had at the moment; nothing was posted.
        """
        try:
            quote = await self._quote(purchase.line)
            await self._supplier.wait_for_turn()
            is_raised = await self._raise_fence(job, purchase, quote)
        except NothingBought as error:
            return self._settle_refusal(job, purchase, error)
        if not is_raised:
            return again_at(self._clock.now())
        crash_point("kinguin.before_post")
        settle = await self._post(job, purchase, quote.choice)
        crash_point("kinguin.after_post")
        return settle

    async def _raise_fence(self, job: Job, purchase: Purchase, quote: Quote) -> bool:
        async with self._database.transaction() as transaction:
            await self._guard.hold_switch(transaction)
            found = await purchase_repository.lock(transaction, purchase.id)
            if not await still_leased(transaction, job):
                return False
            if found.state not in _POSTABLE or not found.line.is_wanted:
                return False
            now = self._clock.now()
            commitment = await self._guard.commit(transaction, found, quote, now)
            await purchase_repository.move(
                transaction,
                found,
                PurchaseState.PLACING,
                now,
                price_asked_eur=quote.choice.unit_price,
                posts=found.posts + 1,
                committed_eur=commitment.euros,
                committed_at=now,
                eur_usd_rate=commitment.eur_usd_rate,
            )
        return True

    async def _post(self, job: Job, purchase: Purchase, choice: Choice) -> Settle:
        line = purchase.line
        order = OrderToPlace(purchase.external_id, line.kinguin_product_id, line.quantity, choice)
        try:
            placed = await self._supplier.place(order)
        except NothingBought as error:
            return self._settle_refusal(job, purchase, error)
        except SupplierError as error:
            return self.settle_unclear(job, purchase, error)

        async def settle(transaction: Transaction) -> datetime | None:
            return await self._settle.placed(transaction, job, purchase.id, placed)

        return settle

    def settle_unclear(self, job: Job, purchase: Purchase, error: SupplierError) -> Settle:
        """The settlement of a POST whose answer says nothing."""

        async def settle(transaction: Transaction) -> datetime | None:
            return await self._settle.unclear(transaction, job, purchase.id, error)

        return settle

    def _settle_refusal(self, job: Job, purchase: Purchase, error: NothingBought) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            if isinstance(error, SwitchedOff):
                return await self._switched_off(transaction, job, purchase, error)
            if isinstance(error, NotNow):
                return await self._settle.not_now(transaction, job, purchase.id, error)
            await self._settle.refused(transaction, purchase.id, error)
            return None

        return settle

    async def _switched_off(
        self, transaction: Transaction, job: Job, purchase: Purchase, error: SwitchedOff
    ) -> datetime | None:
        """Hand back what is only planned; what may exist at Kinguin is searched for, slowly.

        Such a line stays with us, delayed: on another path it would have keys twice if its order
        came to light. The search adopts that order, posts again when the switch is on, and ends
        when orders wants the line no more, which it does when no key has come in time.
        """
        found = await purchase_repository.lock(transaction, purchase.id)
        if found.state is not PurchaseState.PLANNED:
            return await self._settle.not_now(transaction, job, purchase.id, error)
        await hand_back(transaction, found, self._clock.now())
        return None
