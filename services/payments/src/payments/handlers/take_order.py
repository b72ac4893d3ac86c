"""An order was placed, or is not wanted any more."""

from datetime import datetime
from uuid import UUID

from contracts import OrderCancelled, OrderPlaced, PaymentState
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import schedule

from payments.adapters import invoice_repository, ipn_repository
from payments.adapters.publish_payment_updated import (
    Report,
    publish_payment_updated,
    publish_unreadable_order,
)
from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.progress import CANCELLED
from payments.handlers.jobs import APPLY_IPN, CREATE_INVOICE, of_order
from payments.handlers.owe_back import OweBack


class TakeOrder:
    """Remembers what an order costs and has its invoice made."""

    def __init__(self, owing: OweBack, clock: Clock) -> None:
        self._owing = owing
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderPlaced) -> None:
        """Store it; for an order that is known already, repeat where it can be paid."""
        await invoice_repository.serialise(transaction, message.order_id)
        if await invoice_repository.add(transaction, _invoice(message)):
            await self._begin(transaction, message.order_id)
            return
        known = await invoice_repository.lock(transaction, message.order_id)
        if known is not None and known.state is InvoiceState.INVOICED:
            report = Report(PaymentState.INVOICE_READY)
            await publish_payment_updated(transaction, known, report, self._clock.now())

    async def _begin(self, transaction: Transaction, order_id: UUID) -> None:
        now = self._clock.now()
        if await invoice_repository.is_buried(transaction, order_id):
            reason = "cancelled before it came"
            await _cancel(transaction, order_id, self._owing, self._clock.now(), reason)
        else:
            await schedule(transaction, CREATE_INVOICE, order_id, now)
        for ipn_id in await ipn_repository.open_of_order(transaction, order_id):
            await schedule(transaction, APPLY_IPN, ipn_id, now, of_order(order_id))


class CancelInvoice:
    """Lets an order go: its part payments are owed back.

    What still comes in full is confirmed, and orders owes it back, line by line.
    """

    def __init__(self, owing: OweBack, clock: Clock) -> None:
        self._owing = owing
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Mark the invoice, or remember the cancellation of an order that is to come.

        One that is not final follows from our own word that the order expired. Of a paid order
        only lines are cancelled, and its money may be a part that we do not know to be accepted.
        """
        if not message.final or message.paid:
            return
        await invoice_repository.serialise(transaction, message.order_id)
        now, reason = self._clock.now(), message.reason
        if not await _cancel(transaction, message.order_id, self._owing, now, reason):
            await invoice_repository.bury(transaction, message.order_id)


async def _cancel(
    transaction: Transaction, order_id: UUID, owing: OweBack, now: datetime, reason: str
) -> bool:
    """Cancel a known order, if that is still possible; False for an unknown one."""
    invoice = await invoice_repository.lock(transaction, order_id)
    if invoice is None:
        return False
    if invoice.may_become(InvoiceState.CANCELLED):
        cancelled = await invoice_repository.move(
            transaction, invoice, InvoiceState.CANCELLED, now, reason
        )
        await owing.parts(transaction, cancelled, CANCELLED)
    return True


class ReportDeadLetter:
    """A message that was given up: orders must show its order to a person."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, order_id: UUID | None, reason: str) -> None:
        """Tell orders; without a known order the letter itself remains."""
        if order_id is None:
            return
        text, now = f"dead letter: {reason}", self._clock.now()
        invoice = await invoice_repository.find(transaction, order_id)
        if invoice is None:
            await publish_unreadable_order(transaction, order_id, text, now)
        else:
            report = Report(PaymentState.NEEDS_ATTENTION, text)
            await publish_payment_updated(transaction, invoice, report, now)


def _invoice(message: OrderPlaced) -> Invoice:
    return Invoice(
        order_id=message.order_id,
        price=message.total,
        description=message.description,
        placed_at=message.occurred_at,
        expires_at=message.expires_at,
    )
