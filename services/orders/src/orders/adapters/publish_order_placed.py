"""Publish `order.placed`."""

from datetime import datetime

from contracts import OrderPlaced, PlacedLine
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.order import Order


async def publish_order_placed(transaction: Transaction, order: Order, now: datetime) -> None:
    """Ask for an invoice, and for stock to be held."""
    await emit(
        transaction,
        OrderPlaced(
            id=new_id(),
            occurred_at=now,
            order_id=order.id,
            total=order.total,
            expires_at=order.expires_at,
            description=", ".join(f"{line.quantity} x {line.title}" for line in order.lines)[:500],
            lines=tuple(
                PlacedLine(
                    line_id=line.id,
                    product_id=line.product_id,
                    quantity=line.quantity,
                    source_type=line.source_type,
                    backorder=line.backorder,
                )
                for line in order.lines
            ),
        ),
    )
