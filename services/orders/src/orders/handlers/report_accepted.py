"""Tell payments of a part payment that was accepted before payments was told of any.

Saying it again is harmless: payments settles an order once.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from orders.adapters import order_repository
from orders.adapters.publish_payment_accepted import publish_payment_accepted

REPORT_ACCEPTED: Final = "report_accepted"
"""Subject: order id."""


class ReportAccepted:
    """Local work only, so all of it is the settlement."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Prepare the report about one order."""

        async def settle(transaction: Transaction) -> datetime | None:
            order = await order_repository.get(transaction, UUID(job.subject))
            if order.is_accepted and order.payment_id is not None:
                now = self._clock.now()
                await publish_payment_accepted(transaction, order.id, order.payment_id, now)
            return None

        return settle
