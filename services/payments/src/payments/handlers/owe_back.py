"""Money that fulfils nothing: noted once a payment, told to orders, again only when it is more."""

from foundation.clock import Clock
from persistence.database import Transaction

from payments.adapters import payment_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts
from payments.domain.progress import KnownPayment, surplus


class OweBack:
    """Makes refundables, under the lock of the order's invoice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def payment(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts, reason: str
    ) -> None:
        """All that arrived on this payment is owed."""
        now = self._clock.now()
        if await payment_repository.owe_back(transaction, invoice.order_id, facts, reason, now):
            report = Report.owed(facts, facts.actually_paid, reason)
            await publish_payment_updated(transaction, invoice, report, now)

    async def surplus(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts
    ) -> None:
        """What arrived beyond the asked amount on the payment that pays the order is owed."""
        amount, reason, now = surplus(facts), "more than was asked for", self._clock.now()
        if amount > 0 and await payment_repository.owe_amount_back(
            transaction, invoice.order_id, facts, amount, reason, now
        ):
            report = Report.owed(facts, amount, reason)
            await publish_payment_updated(transaction, invoice, report, now)

    async def others(
        self, transaction: Transaction, invoice: Invoice, paid_by: str, reason: str
    ) -> None:
        """The order is paid: what arrived on its other payments is owed."""
        for known in await payment_repository.of_order(transaction, invoice.order_id):
            if known.payment_id != paid_by and known.has_arrived:
                await self._known(transaction, invoice, known, reason)

    async def parts(self, transaction: Transaction, invoice: Invoice, reason: str) -> None:
        """Nobody accepts them any more. What is finished is not meant: it is still judged."""
        for known in await payment_repository.of_order(transaction, invoice.order_id):
            if known.is_part:
                await self._known(transaction, invoice, known, reason)

    async def _known(
        self, transaction: Transaction, invoice: Invoice, known: KnownPayment, reason: str
    ) -> None:
        if known.is_refundable:
            return
        now = self._clock.now()
        await payment_repository.owe_known_back(transaction, invoice.order_id, known, reason, now)
        report = Report.owed_known(known, reason)
        await publish_payment_updated(transaction, invoice, report, now)
