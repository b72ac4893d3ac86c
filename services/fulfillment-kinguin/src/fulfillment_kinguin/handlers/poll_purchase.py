"""The job `poll`: look at an order until its keys are here.

One look a run; the wait for the next one is a due time in a row, so a restart changes
nothing. Keys are sealed as soon as they are read.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from contracts import SealedKey
from foundation.crash import crash_point
from foundation.log_ids import add_log_ids
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.purchase import POLLED
from fulfillment_kinguin.domain.supply import OrderStatus, SupplierOrder
from fulfillment_kinguin.errors import SupplierError, UnreadableKey
from fulfillment_kinguin.handlers.finish_purchase import FinishPurchase
from fulfillment_kinguin.handlers.next_job import nothing
from fulfillment_kinguin.handlers.poll_later import PollLater
from fulfillment_kinguin.handlers.seal_keys import SealKeys
from fulfillment_kinguin.ports import KeySupplier


class PollPurchase:
    """Reads an order and its keys, and settles what they mean."""

    def __init__(
        self,
        supplier: KeySupplier,
        seal: SealKeys,
        finish: FinishPurchase,
        later: PollLater,
        database: Database,
    ) -> None:
        self._supplier = supplier
        self._seal = seal
        self._finish = finish
        self._later = later
        self._database = database

    async def __call__(self, job: Job) -> Settle:
        """Perform the job."""
        async with self._database.transaction() as transaction:
            purchase = await purchase_repository.read(transaction, UUID(job.subject))
        add_log_ids(order_id=purchase.line.order_id, line_id=purchase.line.id)
        if purchase.state not in POLLED or purchase.reservation_id is None:
            return nothing
        crash_point("kinguin.before_poll")
        try:
            order, sealed = await self._look(purchase.reservation_id)
        except UnreadableKey as error:
            return self._settle_unreadable(purchase.id, error)
        except SupplierError as error:
            return self._settle_later(purchase.id, error)
        crash_point("kinguin.keys_read")
        return self._settle_seen(purchase.id, order, sealed)

    async def _look(self, order_id: str) -> tuple[SupplierOrder, Mapping[str, SealedKey]]:
        order = await self._supplier.order(order_id)
        if order.status is OrderStatus.PROCESSING:
            return order, {}
        keys = await self._supplier.keys(order_id)
        crash_point("kinguin.keys_unsealed")
        return order, self._seal(keys)

    def _settle_seen(
        self, purchase_id: UUID, order: SupplierOrder, sealed: Mapping[str, SealedKey]
    ) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            purchase = await purchase_repository.lock(transaction, purchase_id)
            if purchase.state not in POLLED:
                return None
            return await self._finish(transaction, purchase, order, sealed)

        return settle

    def _settle_later(self, purchase_id: UUID, error: SupplierError) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            purchase = await purchase_repository.lock(transaction, purchase_id)
            if purchase.state not in POLLED:
                return None
            return await self._later(transaction, purchase, error)

        return settle

    def _settle_unreadable(self, purchase_id: UUID, error: UnreadableKey) -> Settle:
        async def settle(transaction: Transaction) -> None:
            await self._finish.flag(transaction, purchase_id, str(error))

        return settle
