"""Publish `order.cancelled`."""

from datetime import datetime

from contracts import OrderCancelled
from foundation.clock import new_id
from servicekit.database import Transaction
from servicekit.outbox import emit

from orders.domain.order import Order


async def publish_order_cancelled(
    transaction: Transaction, order: Order, reason: str, now: datetime
) -> None:
    """Tell everybody that no line of this order is wanted any more."""
    await emit(
        transaction,
        OrderCancelled(
            id=new_id(),
            occurred_at=now,
            order_id=order.id,
            line_ids=tuple(line.id for line in order.lines),
            reason=reason,
        ),
    )
