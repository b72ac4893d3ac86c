"""Let go of keys that are held for an order of which only a part was paid.

Nobody decides about it by itself: the buyer may pay the rest, or an admin may accept the part.
But a few cents must not keep keys from everybody else for ever. What is paid after that is paid
late: delivered while there is stock, else owed back.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle, schedule

from orders.adapters import order_repository
from orders.adapters.publish_order_cancelled import publish_order_cancelled
from orders.domain.order import Order
from orders.domain.states import MoneyStatus

LET_GO_UNDERPAID: Final = "let_go_underpaid"
"""Subject: order id."""


class LetGoUnderpaid:
    """Local work only, so all of it is the settlement."""

    def __init__(self, clock: Clock, hold: timedelta) -> None:
        self._clock = clock
        self._hold = hold

    async def plan(self, transaction: Transaction, order: Order) -> None:
        """Have it done some time after the order would have expired."""
        due_at = max(order.expires_at, self._clock.now()) + self._hold
        await schedule(transaction, LET_GO_UNDERPAID, order.id, due_at)

    async def __call__(self, job: Job) -> Settle:
        """Let go, if the order is still waiting for the rest."""

        async def settle(transaction: Transaction) -> datetime | None:
            order = await order_repository.get(transaction, UUID(job.subject))
            if order.money is MoneyStatus.UNDERPAID and order.let_go_of_stock():
                order.late = True
                reason, now = "the rest was not paid in time", self._clock.now()
                await publish_order_cancelled(transaction, order, reason, now, final=False)
                await order_repository.save(transaction, order)
            return None

        return settle
