"""Ask the gateway what became of an order's payments, in case a notification was lost.

By payment id for those we know and by invoice id for those we never heard of. What is
found is news like any other. Only here an unpaid order expires, and only after the
gateway has answered every question.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from contracts import PaymentState
from foundation.clock import Clock
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, retry_delay

from payments.adapters import invoice_repository, payment_repository
from payments.adapters.publish_payment_updated import Report, publish_payment_updated
from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.payment import PaymentFacts
from payments.domain.progress import KnownPayment
from payments.domain.reconcile_schedule import ask_again, next_reconcile
from payments.errors import GatewayUnauthorized, GatewayUnavailable, PaymentNotFound
from payments.handlers.apply_news import ApplyNews
from payments.ports import PaymentGateway

AT_ONCE: Final = 5
"""Questions about one order on the way at the same time."""

_log = structlog.get_logger()


@dataclass(slots=True)
class Findings:
    """What the gateway said; `is_complete` when it answered every question."""

    facts: list[PaymentFacts] = field(default_factory=list)
    is_complete: bool = True

    @property
    def shows_money(self) -> bool:
        """Whether anything was paid or is on its way."""
        return any(facts.is_in_flight or facts.has_money for facts in self.facts)


class Reconcile:
    """Runs per order, ever more rarely."""

    def __init__(
        self,
        database: Database,
        gateway: PaymentGateway,
        news: ApplyNews,
        clock: Clock,
        *,
        first: timedelta,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._news = news
        self._clock = clock
        self._first = first

    async def __call__(self, job: Job) -> Settle:
        """Ask about one order; what could not be asked is asked again soon."""
        order_id = UUID(job.subject)
        async with self._database.transaction() as transaction:
            invoice = await invoice_repository.find(transaction, order_id)
            known = await payment_repository.of_order(transaction, order_id)
        findings = await self._ask(invoice, known) if invoice else Findings()

        async def settle(transaction: Transaction) -> datetime | None:
            due_at = await self._settle(transaction, order_id, findings)
            if findings.is_complete or invoice is None:
                return due_at
            wait = retry_delay(job.attempt)
            return ask_again(self._clock.now(), placed_at=invoice.placed_at, at_least=wait)

        return settle

    async def _ask(self, invoice: Invoice, known: Sequence[KnownPayment]) -> Findings:
        findings, gate = Findings(), asyncio.Semaphore(AT_ONCE)
        # The list first: it alone names the parent of a further deposit.
        await self._ask_invoice(invoice, findings)
        open_ids = [payment.payment_id for payment in known if payment.is_open]
        await asyncio.gather(*(self._ask_payment(id_, findings, gate) for id_ in open_ids))
        return findings

    async def _ask_invoice(self, invoice: Invoice, findings: Findings) -> None:
        if invoice.invoice_id is None:
            return
        try:
            findings.facts.extend(await self._gateway.payments_of_invoice(invoice.invoice_id))
        except (GatewayUnavailable, GatewayUnauthorized) as error:
            findings.is_complete = False
            _complain(error, invoice_id=invoice.invoice_id)

    async def _ask_payment(
        self, payment_id: str, findings: Findings, gate: asyncio.Semaphore
    ) -> None:
        try:
            async with gate:
                findings.facts.append(await self._gateway.payment(payment_id))
        except PaymentNotFound:
            _log.warning("payment.unknown_to_gateway", payment_id=payment_id)
        except (GatewayUnavailable, GatewayUnauthorized) as error:
            findings.is_complete = False
            _complain(error, payment_id=payment_id)

    async def _settle(
        self, transaction: Transaction, order_id: UUID, findings: Findings
    ) -> datetime | None:
        invoice = await invoice_repository.lock(transaction, order_id)
        if invoice is None:
            return None
        for facts in findings.facts:
            await self._news(transaction, invoice, facts, source="reconcile")
        if findings.is_complete and not findings.shows_money:
            await self._expire(transaction, order_id)
        known = await payment_repository.of_order(transaction, order_id)
        due_at = self._next(invoice, findings, known)
        if due_at is None and findings.is_complete:
            await self._end(transaction, invoice, known)
        return due_at

    async def _expire(self, transaction: Transaction, order_id: UUID) -> None:
        invoice = await invoice_repository.lock(transaction, order_id)  # news may have changed it
        now = self._clock.now()
        if invoice is None or invoice.state is not InvoiceState.INVOICED:
            return
        if now < invoice.expires_at:
            return
        reason = "nothing was paid in time"
        await invoice_repository.move(transaction, invoice, InvoiceState.EXPIRED, now, reason)
        if invoice.reported is not PaymentState.EXPIRED:
            report = Report(PaymentState.EXPIRED, reason)
            await publish_payment_updated(transaction, invoice, report, now)

    def _next(
        self, invoice: Invoice, findings: Findings, known: Sequence[KnownPayment]
    ) -> datetime | None:
        is_settled = invoice.state is InvoiceState.SETTLED
        undecided = any(payment.awaits_verdict for payment in known)
        return next_reconcile(
            self._clock.now(),
            placed_at=invoice.placed_at,
            expires_at=invoice.expires_at,
            first=self._first,
            is_settled=is_settled,
            in_flight=undecided or any(facts.is_in_flight for facts in findings.facts),
        )

    async def _end(
        self, transaction: Transaction, invoice: Invoice, known: Sequence[KnownPayment]
    ) -> None:
        """Nobody asks any more: what is still undecided goes to a person."""
        left = [p.payment_id for p in known if p.is_open and p.is_live]
        if left:
            reason = f"the gateway never brought these to an end: {', '.join(left)}"
            report = Report(PaymentState.NEEDS_ATTENTION, reason)
            await publish_payment_updated(transaction, invoice, report, self._clock.now())


def _complain(error: Exception, **facts: str) -> None:
    if isinstance(error, GatewayUnauthorized):
        _log.error("gateway.unauthorized", reason=str(error), **facts)
    else:
        _log.warning("gateway.unavailable", reason=str(error), **facts)
