"""Mail the buyer about each step of a refund once: what is told is noted with the mail."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from orders.adapters import order_repository, refund_repository
from orders.adapters.publish_email_requested import EmailRequests
from orders.domain.order import Order
from orders.domain.refund import mark_told, untold
from orders.domain.refund_texts import refund_mails


class TellRefunds:
    """The job `tell_refunds`; its subject is an order. `refund_link` makes the mailed link."""

    def __init__(
        self, mails: EmailRequests, refund_link: Callable[[Order], str], clock: Clock
    ) -> None:
        self._mails = mails
        self._refund_link = refund_link
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Everything happens in the settlement: nobody outside is asked."""

        async def settle(transaction: Transaction) -> datetime | None:
            order = await order_repository.get(transaction, UUID(job.subject))
            refunds = await refund_repository.of_order(transaction, order.id)
            news = untold(refunds)
            for mail in refund_mails(news, self._refund_link(order)):
                await self._mails.publish(transaction, order, mail, self._clock.now())
            mark_told(news)
            await refund_repository.save(transaction, *refunds)
            return None

        return settle
