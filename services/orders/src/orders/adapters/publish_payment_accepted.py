"""Publish `payment.accepted`."""

from datetime import datetime
from uuid import UUID

from contracts import PaymentAccepted
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit


async def publish_payment_accepted(
    transaction: Transaction, order_id: UUID, payment_id: str, now: datetime
) -> None:
    """Tell payments which part payment has paid the order, by an admin's word."""
    await emit(
        transaction,
        PaymentAccepted(id=new_id(), occurred_at=now, order_id=order_id, payment_id=payment_id),
    )
