"""News about a payment, from a notification or from asking: one path for both."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from contracts import PaymentState
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import schedule

from payments.adapters import payment_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts, PaymentStatus
from payments.domain.progress import Decision, Effect, KnownPayment, completed, decide, left_over
from payments.domain.reconcile_schedule import IN_FLIGHT
from payments.handlers.jobs import CONFIRM_PAYMENT, RECONCILE, of_order
from payments.handlers.owe_back import OweBack

AFTER_DENIAL: Final = timedelta(minutes=1)
"""When to ask again after the gateway denied what it had said before."""

_log = structlog.get_logger()


class ApplyNews:
    """Gives news their effect, under the lock of the order's invoice."""

    def __init__(self, owing: OweBack, clock: Clock) -> None:
        self._owing = owing
        self._clock = clock

    async def __call__(
        self, transaction: Transaction, invoice: Invoice, news: PaymentFacts, *, source: str
    ) -> Decision:
        """Apply news to a locked order; of finished money the gateway is asked again."""
        decision = await self.apply(transaction, invoice, news, source=source)
        if decision.effect is Effect.CONFIRMING:
            now, about = self._clock.now(), of_order(invoice.order_id)
            await schedule(transaction, CONFIRM_PAYMENT, news.payment_id, now, about)
        return decision

    async def apply(
        self, transaction: Transaction, invoice: Invoice, news: PaymentFacts, *, source: str
    ) -> Decision:
        """Apply news to a locked order and say what they caused; nobody is asked."""
        owner = await payment_repository.order_of(transaction, news.payment_id)
        if owner not in {None, invoice.order_id}:
            _log.error("payment.foreign", payment_id=news.payment_id, order_id=str(owner))
            return Decision(Effect.FOREIGN, f"the payment belongs to order {owner}")
        known = await payment_repository.of_order(transaction, invoice.order_id)
        facts = completed(news, known)
        decision = decide(invoice, known, facts)
        if decision.changes_payment and facts.status is not None:
            now = self._clock.now()
            await payment_repository.save(transaction, invoice.order_id, facts, facts.status, now)
            await payment_repository.record(
                transaction, invoice.order_id, facts, at=now, source=source, reason=decision.reason
            )
            await self._act(transaction, invoice, facts, decision, known)
        return decision

    async def _act(
        self,
        transaction: Transaction,
        invoice: Invoice,
        facts: PaymentFacts,
        decision: Decision,
        known: Sequence[KnownPayment],
    ) -> None:
        if decision.effect is Effect.CONFIRMING:
            return
        is_owed = any(p.is_refundable for p in known if p.payment_id == facts.payment_id)
        if is_owed and facts.status is PaymentStatus.REFUNDED:
            # Somebody may be about to send it a second time.
            await self._tell(transaction, invoice, facts, PaymentState.REFUNDED, decision.reason)
        elif decision.effect is Effect.SURPLUS or is_owed:
            await self._owing.payment(transaction, invoice, facts, decision.reason or "")
        elif decision.report is not None:
            await self._tell(transaction, invoice, facts, decision.report, decision.reason)
        elif invoice.settled_by == facts.payment_id:
            await self._owing.surplus(transaction, invoice, facts)
        else:
            await self._return_to_part(transaction, invoice, facts, known)
        if facts.is_in_flight:
            due_at = self._clock.now() + IN_FLIGHT
            await schedule(transaction, RECONCILE, invoice.order_id, due_at)

    async def _return_to_part(
        self,
        transaction: Transaction,
        invoice: Invoice,
        facts: PaymentFacts,
        known: Sequence[KnownPayment],
    ) -> None:
        """What was on its way is no more than what has come before: orders may accept that."""
        part = left_over(invoice, known, facts)
        if part is not None:
            report = Report.of_known(PaymentState.PARTIALLY_PAID, part)
            await publish_payment_updated(transaction, invoice, report, self._clock.now())

    async def _tell(
        self,
        transaction: Transaction,
        invoice: Invoice,
        facts: PaymentFacts,
        state: PaymentState,
        reason: str | None,
    ) -> None:
        report = Report.about(state, facts, reason)
        await publish_payment_updated(transaction, invoice, report, self._clock.now())
