"""The job `search`: find out whether an order whose answer was lost exists."""

from collections.abc import Sequence
from datetime import datetime
from math import inf
from uuid import UUID

from foundation.clock import Clock
from foundation.log_ids import add_log_ids
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import SEARCH, Purchase, PurchaseState
from fulfillment_kinguin.domain.search_schedule import (
    GIVE_UP,
    INTERVAL,
    MAX_POSTS,
    was_never_placed,
)
from fulfillment_kinguin.domain.supply import OrderStatus, SupplierOrder
from fulfillment_kinguin.errors import SupplierError, Unclear
from fulfillment_kinguin.handlers.buy_once import BuyOnce
from fulfillment_kinguin.handlers.next_job import describe, not_before, nothing, pass_on
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.handlers.tell_line import tell_line
from fulfillment_kinguin.ports import KeySupplier

_ENDED = frozenset({OrderStatus.CANCELED, OrderStatus.REFUNDED})


class SearchPurchase:
    """Adopts what is found; posts again only after several empty searches."""

    def __init__(
        self,
        supplier: KeySupplier,
        buy: BuyOnce,
        settle: SettlePurchase,
        database: Database,
        clock: Clock,
    ) -> None:
        self._supplier = supplier
        self._buy = buy
        self._settle = settle
        self._database = database
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Perform the job."""
        async with self._database.transaction() as transaction:
            purchase = await purchase_repository.read(transaction, UUID(job.subject))
        add_log_ids(order_id=purchase.line.order_id, line_id=purchase.line.id)
        match purchase.state:
            case PurchaseState.UNKNOWN if not self._supplier.can_search:
                return self._settle_attention(purchase, "the answer was lost, and cannot be found")
            case PurchaseState.UNKNOWN:
                return await self._search(job, purchase)
            case PurchaseState.PLACING:
                lost = Unclear("the process ended while it was placing the order again")
                return self._buy.settle_unclear(job, purchase, lost)
            case _:
                return nothing

    async def _search(self, job: Job, purchase: Purchase) -> Settle:
        try:
            found = await self._supplier.orders_of(purchase.external_id)
            if found:
                return self._settle_adopted(job, purchase, found)
            return await self._after_empty(job, purchase)
        except SupplierError as error:
            return self._settle_later(job, purchase, error)

    async def _after_empty(self, job: Job, purchase: Purchase) -> Settle:
        now = self._clock.now()
        empty = purchase.empty_searches + 1
        if not was_never_placed(empty, purchase.first_empty_search_at or now, now):
            return self._settle_empty(job, purchase)
        if not purchase.line.is_wanted:
            return self._settle_never_placed(purchase)
        if purchase.posts >= MAX_POSTS:
            reason = f"posted {purchase.posts} times, and no order is to be found"
            return self._settle_attention(purchase, reason)
        return await self._buy(job, purchase)

    def _settle_adopted(
        self, job: Job, purchase: Purchase, found: Sequence[SupplierOrder]
    ) -> Settle:
        adopted = _oldest_alive(found)

        async def settle(transaction: Transaction) -> datetime | None:
            locked = await purchase_repository.lock(transaction, purchase.id)
            if locked.state is not PurchaseState.UNKNOWN:
                return None
            due_at = await self._settle.placed(transaction, job, purchase.id, adopted)
            if len(found) > 1:
                others = ", ".join(o.order_id for o in found if o is not adopted)
                reason = f"bought more than once: {adopted.order_id} is used, not {others}"
                now = self._clock.now()
                await purchase_repository.update(transaction, purchase.id, now, last_error=reason)
                await tell_line(transaction, locked.line, LineState.NEEDS_ATTENTION, reason, now)
            return due_at

        return settle

    def _settle_empty(self, job: Job, purchase: Purchase) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            now = self._clock.now()
            locked = await purchase_repository.lock(transaction, purchase.id)
            if locked.state is not PurchaseState.UNKNOWN:
                return None
            await purchase_repository.update(
                transaction,
                locked.id,
                now,
                empty_searches=locked.empty_searches + 1,
                first_empty_search_at=locked.first_empty_search_at or now,
            )
            return await pass_on(transaction, job, SEARCH, locked.id, now + INTERVAL, now)

        return settle

    def _settle_later(self, job: Job, purchase: Purchase, error: SupplierError) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            now = self._clock.now()
            locked = await purchase_repository.lock(transaction, purchase.id)
            if locked.state is not PurchaseState.UNKNOWN:
                return None
            if now - (locked.unknown_since or now) >= GIVE_UP:
                await self._settle.attention(
                    transaction, locked.id, f"cannot be searched: {describe(error)}"
                )
                return None
            await purchase_repository.update(
                transaction, locked.id, now, last_error=describe(error)
            )
            due_at = not_before(now + INTERVAL, error, now)
            return await pass_on(transaction, job, SEARCH, locked.id, due_at, now)

        return settle

    def _settle_never_placed(self, purchase: Purchase) -> Settle:
        async def settle(transaction: Transaction) -> None:
            await self._settle.never_placed(transaction, purchase.id)

        return settle

    def _settle_attention(self, purchase: Purchase, reason: str) -> Settle:
        async def settle(transaction: Transaction) -> None:
            await self._settle.attention(transaction, purchase.id, reason)

        return settle


def _oldest_alive(found: Sequence[SupplierOrder]) -> SupplierOrder:
    """The order to go on with: canceled ones only if there is no other."""
    return min(found, key=lambda order: (order.status in _ENDED, _age_rank(order)))


def _age_rank(order: SupplierOrder) -> float:
    return inf if order.created_at is None else order.created_at.timestamp()
