"""A payment is said to be finished: ask the gateway, judge its answer, tell orders once."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import structlog
from contracts import PaymentState
from foundation.clock import Clock
from foundation.crash import crash_point
from foundation.log_ids import add_log_ids
from persistence.database import Transaction
from persistence.measures import measure
from servicekit.jobs import Job, Settle, schedule

from payments.adapters import invoice_repository, payment_repository
from payments.adapters.metrics import CONFIRMED_AMOUNT
from payments.adapters.publish_payment_confirmed import publish_payment_confirmed
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.payment import PaymentFacts
from payments.domain.progress import CANCELLED, completed, largest_part
from payments.domain.verdict import Judgement, Verdict, judge
from payments.errors import GatewayUnauthorized, PaymentNotFound
from payments.handlers.apply_news import AFTER_DENIAL, ApplyNews
from payments.handlers.jobs import RECONCILE
from payments.handlers.owe_back import OweBack
from payments.ports import PaymentGateway

_log = structlog.get_logger()


class ConfirmPayment:
    """The only place where an order becomes paid."""

    def __init__(
        self,
        gateway: PaymentGateway,
        news: ApplyNews,
        owing: OweBack,
        clock: Clock,
        *,
        tolerance_percent: Decimal,
    ) -> None:
        self._gateway = gateway
        self._news = news
        self._owing = owing
        self._clock = clock
        self._tolerance_percent = tolerance_percent

    async def __call__(self, job: Job) -> Settle:
        """Ask about one payment.

        Raises:
            GatewayUnavailable, GatewayUnauthorized: to be tried again.
        """
        add_log_ids(**job.payload)
        try:
            facts = await self._gateway.payment(job.subject)
        except PaymentNotFound as error:
            return self._deny(job.subject, str(error))
        except GatewayUnauthorized as error:
            _log.error("gateway.unauthorized", call="payment", reason=str(error))
            raise
        crash_point("payments.gateway_asked")

        async def settle(transaction: Transaction) -> datetime | None:
            invoice = await _lock_order_of(transaction, job.subject)
            if invoice is not None:
                await self._settle(transaction, invoice, facts)
            return None

        return settle

    def _deny(self, payment_id: str, reason: str) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            invoice = await _lock_order_of(transaction, payment_id)
            if invoice is not None:
                judgement = Judgement(Verdict.NOT_FINISHED, reason)
                await self._ask_later(transaction, invoice, payment_id, judgement)
            return None

        return settle

    async def _settle(
        self, transaction: Transaction, invoice: Invoice, answer: PaymentFacts
    ) -> None:
        """First what the answer says about the payment, then what that is worth."""
        await self._news.apply(transaction, invoice, answer, source="gateway")
        known = await payment_repository.of_order(transaction, invoice.order_id)
        facts = completed(answer, known)
        if any(p.is_refundable for p in known if p.payment_id == facts.payment_id):
            return
        judgement = judge(invoice, facts, tolerance_percent=self._tolerance_percent)
        if judgement.verdict is Verdict.NOT_FINISHED:
            await self._ask_later(transaction, invoice, facts.payment_id, judgement)
            return
        now = self._clock.now()
        await payment_repository.judged(transaction, facts.payment_id, judgement, now)
        await self._carry_out(transaction, invoice, facts, judgement)

    async def _ask_later(
        self, transaction: Transaction, invoice: Invoice, payment_id: str, judgement: Judgement
    ) -> None:
        now = self._clock.now()
        _log.warning("payment.denied", payment_id=payment_id, reason=judgement.reason)
        await payment_repository.judged(transaction, payment_id, judgement, now)
        await schedule(transaction, RECONCILE, invoice.order_id, now + AFTER_DENIAL)

    async def _carry_out(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts, judgement: Judgement
    ) -> None:
        reason = judgement.reason or ""
        match judgement.verdict:
            case Verdict.CONFIRMED:
                await self._confirm(transaction, invoice, facts)
            case Verdict.UNDERPAID if invoice.state is InvoiceState.CANCELLED:
                await self._owing.payment(transaction, invoice, facts, CANCELLED)
            case Verdict.UNDERPAID:
                await self._tell_part(transaction, invoice, facts, reason)
            case Verdict.MISMATCHED:
                await self._mismatch(transaction, invoice, facts, reason)
            case _:
                await self._owing.payment(transaction, invoice, facts, reason)

    async def _tell_part(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts, reason: str
    ) -> None:
        """Of several parts orders hears of the largest: that one an admin would accept."""
        known = await payment_repository.of_order(transaction, invoice.order_id)
        largest = None if invoice.is_accepted else largest_part(known)
        report = Report.about(PaymentState.PARTIALLY_PAID, facts, reason)
        if largest is not None and largest.payment_id != facts.payment_id:
            report = Report.of_known(PaymentState.PARTIALLY_PAID, largest)
        await publish_payment_updated(transaction, invoice, report, self._clock.now())

    async def _mismatch(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts, reason: str
    ) -> None:
        """A person has to look; what an admin has accepted is not owed back."""
        now, attention = self._clock.now(), PaymentState.NEEDS_ATTENTION
        _log.error("payment.mismatched", payment_id=facts.payment_id, reason=reason)
        report = Report.about(attention, facts, reason)
        if not invoice.is_accepted:
            await payment_repository.owe_back(transaction, invoice.order_id, facts, reason, now)
            report = Report.owed(facts, facts.actually_paid, reason, attention)
        await publish_payment_updated(transaction, invoice, report, now)

    async def _confirm(
        self, transaction: Transaction, invoice: Invoice, facts: PaymentFacts
    ) -> None:
        now, order_id = self._clock.now(), invoice.order_id
        if not await payment_repository.settle_order(transaction, order_id, facts.payment_id, now):
            return
        price = invoice.price
        measure(transaction, CONFIRMED_AMOUNT, float(price.amount), currency=price.currency)
        reason = f"payment {facts.payment_id}"
        if not invoice.is_accepted:
            await invoice_repository.move(transaction, invoice, InvoiceState.SETTLED, now, reason)
        await publish_payment_confirmed(transaction, invoice, facts, now)
        await self._owing.surplus(transaction, invoice, facts)
        reason = f"{reason} has paid the order"
        await self._owing.others(transaction, invoice, facts.payment_id, reason)


async def _lock_order_of(transaction: Transaction, payment_id: str) -> Invoice | None:
    order_id: UUID | None = await payment_repository.order_of(transaction, payment_id)
    add_log_ids(order_id=order_id)
    return None if order_id is None else await invoice_repository.lock(transaction, order_id)
