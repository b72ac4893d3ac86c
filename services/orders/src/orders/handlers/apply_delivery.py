"""What delivery says: stored shows the link, mailed makes the line delivered."""

from uuid import UUID

from contracts import DeliveryState, DeliveryUpdated
from foundation.clock import Clock
from persistence.database import Transaction

from orders.adapters import order_repository
from orders.domain.order import Delivery, Line, Order
from orders.domain.states import LineStatus

_LINE_BY_STATE = {
    DeliveryState.STORED: LineStatus.STORED,
    DeliveryState.MAILED: LineStatus.DELIVERED,
}


class ApplyDeliveryUpdated:
    """Follows the newest delivery of a line; an older version of it changes nothing.

    A line has a second one only if delivery lost the first, with a database that was restored.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: DeliveryUpdated) -> None:
        """Apply the news.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        line = order.line(message.line_id)
        if line is not None:
            self._follow(order, line, message)
        if line is None or message.state in _FLAGGED:
            what = message.reason or message.state.value
            order.flag(f"delivery: {what}", self._clock.now())
        await order_repository.save(transaction, order)

    def _follow(self, order: Order, line: Line, message: DeliveryUpdated) -> None:
        if message.delivery_id and _is_newer(line.delivery, message.delivery_id, message.version):
            line.delivery = Delivery(
                id=message.delivery_id,
                version=message.version,
                ready_at=message.ready_at or (line.delivery.ready_at if line.delivery else None),
                reveals_left=message.reveals_left,
                expires_at=message.expires_at,
            )
        if (status := _LINE_BY_STATE.get(message.state)) is not None:
            order.move_line(line, status, self._clock.now(), message.reason)
        if message.revealed is not None:
            self._answer_cancellation(order, line, was_revealed=message.revealed)

    def _answer_cancellation(self, order: Order, line: Line, *, was_revealed: bool) -> None:
        """Nobody gets both: who saw the key keeps it, who did not gets the money."""
        now = self._clock.now()
        if was_revealed:
            order.refuse_cancellation(line, now)
        elif order.is_paid:
            order.owe_back([line], now, "cancelled before the key was shown")


_FLAGGED = {DeliveryState.MAIL_FAILED, DeliveryState.NEEDS_ATTENTION}


def _is_newer(known: Delivery | None, delivery_id: UUID, version: int) -> bool:
    # Ids tell the time (UUIDv7).
    return known is None or (delivery_id, version) > (known.id, known.version)
