"""Cancel an order, or lines of a paid one (design, section 4).

Before the money is in, the order is cancelled at once. Afterwards the lines are only marked,
and everybody who may have their keys is asked: an answer makes them `refund_due`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from persistence.database import Transaction

from orders.adapters.publish_order_cancelled import publish_order_cancelled
from orders.domain.order import TOO_LATE, Line, Order
from orders.domain.states import Cancellation, LineStatus
from orders.errors import ActionRefused, UnknownItem


async def cancel(
    transaction: Transaction,
    order: Order,
    now: datetime,
    reason: str,
    line_ids: Sequence[UUID] | None,
) -> None:
    """Cancel what is named, by default all.

    Raises:
        ActionRefused: it is too late, or done already.
        UnknownItem: it is not a line of this order.
    """
    if order.is_paid:
        await _cancel_lines(transaction, order, _named(order, line_ids), now, reason)
        return
    if line_ids is not None:
        raise ActionRefused("before it is paid only the whole order can be cancelled")
    if not order.cancel(now, reason):
        raise ActionRefused(f"an order that is {order.status.value} cannot be cancelled")
    await publish_order_cancelled(transaction, order, reason, now)


async def ask_to_cancel(
    transaction: Transaction, order: Order, lines: Sequence[Line], now: datetime, reason: str
) -> bool:
    """Mark these lines of a paid order and ask for answers; False when none can be."""
    asked = [line for line in lines if order.ask_cancellation(line, now, reason)]
    held = [line for line in asked if line.status is not LineStatus.REFUND_DUE]
    if held:
        await publish_order_cancelled(transaction, order, reason, now, lines=held)
    return bool(asked)


async def _cancel_lines(
    transaction: Transaction, order: Order, lines: Sequence[Line], now: datetime, reason: str
) -> None:
    if await ask_to_cancel(transaction, order, lines, now, reason):
        return
    states = {line.cancellation for line in lines}
    if states == {Cancellation.REFUSED}:
        raise ActionRefused(TOO_LATE)
    if Cancellation.ASKED in states:
        raise ActionRefused("it is being cancelled already")
    raise ActionRefused(f"no line of an order that is {order.status.value} can be cancelled")


def _named(order: Order, line_ids: Sequence[UUID] | None) -> Sequence[Line]:
    if line_ids is None:
        return order.lines
    for line_id in line_ids:
        if order.line(line_id) is None:
            raise UnknownItem(line_id)
    return [line for line in order.lines if line.id in set(line_ids)]
