"""Publish `order.cancelled`."""

from collections.abc import Sequence
from datetime import datetime

from contracts import OrderCancelled
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.order import Line, Order


async def publish_order_cancelled(
    transaction: Transaction,
    order: Order,
    reason: str,
    now: datetime,
    *,
    lines: Sequence[Line] | None = None,
    final: bool = True,
) -> None:
    """Tell everybody that these lines (all, unless some are given) are not wanted any more.

    Not `final`: the order expired unpaid, only what is held for it is let go of.
    """
    await emit(
        transaction,
        OrderCancelled(
            id=new_id(),
            occurred_at=now,
            order_id=order.id,
            line_ids=tuple(line.id for line in (order.lines if lines is None else lines)),
            reason=reason,
            final=final,
            paid=order.is_paid,
        ),
    )
