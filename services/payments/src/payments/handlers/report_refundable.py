"""Tell orders of a payment that was owed back before orders kept refunds of payments.

Saying it again is harmless: orders has one refund a payment, over the greatest amount.
"""

from datetime import datetime

from contracts import PaymentState, Refundable
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from payments.adapters import invoice_repository, payment_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated


class ReportRefundable:
    """Local work only, so all of it is the settlement."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Prepare the report about one payment."""

        async def settle(transaction: Transaction) -> datetime | None:
            await self._report(transaction, job.subject)
            return None

        return settle

    async def _report(self, transaction: Transaction, payment_id: str) -> None:
        order_id = await payment_repository.order_of(transaction, payment_id)
        invoice = await invoice_repository.lock(transaction, order_id) if order_id else None
        owed = await payment_repository.refundable(transaction, payment_id)
        if invoice is None or owed is None:
            return
        report = Report(
            PaymentState.MORE_MONEY,
            owed.reason,
            payment_id,
            refundable=Refundable(amount=owed.amount, currency=owed.currency),
        )
        await publish_payment_updated(transaction, invoice, report, self._clock.now())
