"""Money that fulfils nothing: noted once a payment, told to orders, again only when it is more."""

from decimal import Decimal

from foundation.clock import Clock
from persistence.database import Transaction

from payments.adapters import payment_repository, surplus_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts
from payments.domain.progress import KnownPayment, surplus, worth


class OweBack:
    """Makes refundables, under the lock of the order's invoice.

    A surplus that is worth less than `least`, in the order's currency, is noted instead.
    """

    def __init__(self, clock: Clock, least: Decimal) -> None:
        self._clock = clock
        self._least = least

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
        """What arrived beyond the asked amount on the payment that pays the order.

        All of it is owed as soon as it is worth enough, whatever it grew from.
        """
        amount = surplus(facts)
        if amount <= 0:
            return
        value = worth(invoice, facts, amount)
        if value < self._least and not await surplus_repository.is_owed(
            transaction, facts.payment_id
        ):
            await surplus_repository.note(
                transaction, invoice, facts, amount, value, self._clock.now()
            )
            return
        await surplus_repository.forget(transaction, facts.payment_id)
        await self._amount(transaction, invoice, facts, amount)

    async def _amount(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts, amount: Decimal
    ) -> None:
        order_id, now, reason = invoice.order_id, self._clock.now(), "more than was asked for"
        if await payment_repository.owe_amount_back(
            transaction, order_id, facts, amount, reason, now
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
