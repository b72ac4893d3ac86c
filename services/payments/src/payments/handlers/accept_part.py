"""An admin took a part payment for the whole price: it pays the order, the others are owed."""

from contracts import PaymentAccepted, PaymentState
from foundation.clock import Clock
from persistence.database import Transaction

from payments.adapters import invoice_repository, payment_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.progress import KnownPayment
from payments.errors import UnknownPayment
from payments.handlers.owe_back import OweBack


class AcceptPart:
    """Settles the order by the accepted payment, unless another has paid it in full."""

    def __init__(self, owing: OweBack, clock: Clock) -> None:
        self._owing = owing
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: PaymentAccepted) -> None:
        """Settle it, once.

        Raises:
            UnknownPayment: this order has no such payment; a person has to look.
        """
        invoice = await invoice_repository.lock(transaction, message.order_id)
        known = await payment_repository.of_order(transaction, message.order_id)
        accepted = next((p for p in known if p.payment_id == message.payment_id), None)
        if invoice is None or accepted is None:
            raise UnknownPayment(message.order_id, message.payment_id)
        if invoice.settled_by is not None:
            return  # heard before, or paid in full meanwhile: then this part is owed already
        if accepted.is_refundable:
            await self._tell_both(transaction, invoice, accepted)
        await self._settle(transaction, invoice, accepted.payment_id)

    async def _settle(self, transaction: Transaction, invoice: Invoice, payment_id: str) -> None:
        now, reason = self._clock.now(), f"payment {payment_id} was accepted"
        await payment_repository.accept(transaction, invoice.order_id, payment_id, now)
        settled = await invoice_repository.move(
            transaction, invoice, InvoiceState.SETTLED, now, reason
        )
        await self._owing.others(transaction, settled, payment_id, reason)

    async def _tell_both(
        self, transaction: Transaction, invoice: Invoice, accepted: KnownPayment
    ) -> None:
        """It became owed back while the admin accepted it: the buyer may not have both."""
        reason = f"payment {accepted.payment_id} was accepted, and is owed back as well"
        report = Report.of_known(PaymentState.NEEDS_ATTENTION, accepted, reason)
        await publish_payment_updated(transaction, invoice, report, self._clock.now())
