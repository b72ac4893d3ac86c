"""What the fulfilment services say about lines that have no keys (yet)."""

from datetime import datetime

from contracts import (
    FulfillmentState,
    FulfillmentUpdated,
    Reservation,
    SourceType,
    StockUpdated,
)
from foundation.clock import Clock
from persistence.database import Transaction

from orders.adapters import catalogue_repository, order_repository
from orders.adapters.publish_order_cancelled import publish_order_cancelled
from orders.domain.order import SOLD_OUT, Line, Order
from orders.domain.states import Cancellation, LineStatus
from orders.handlers.request_lines import RequestLines


class ApplyFulfillmentUpdated:
    """Moves one line, or flags the order for a person."""

    def __init__(self, requests: RequestLines, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: FulfillmentUpdated) -> None:
        """Apply the answer.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        line = order.line(message.line_id)
        if line is None or message.state is FulfillmentState.NEEDS_ATTENTION:
            order.flag(f"fulfillment: {message.reason or message.state.value}", self._clock.now())
        else:
            await self._apply(transaction, order, line, message)
        await order_repository.save(transaction, order)

    async def _apply(
        self, transaction: Transaction, order: Order, line: Line, message: FulfillmentUpdated
    ) -> None:
        now = self._clock.now()
        match message.state:
            case FulfillmentState.DELAYED:
                order.move_line(line, LineStatus.DELAYED, now, message.reason)
            case FulfillmentState.FAILED:
                if order.move_line(line, LineStatus.FAILED, now, message.reason):
                    order.owe_back([line], now, message.reason or "no key will come")
            case FulfillmentState.HANDED_BACK:
                await self._take_back(transaction, order, line)
            case _:
                _answer_cancellation(order, line, message, now)

    async def _take_back(self, transaction: Transaction, order: Order, line: Line) -> None:
        """A second word about a line that own stock serves by now says nothing about its key."""
        if line.source_type is not SourceType.KINGUIN:
            return
        if line.cancellation is Cancellation.ASKED:
            reason = "cancelled before anything was bought"
            order.owe_back([line], self._clock.now(), reason)
        else:
            await self._reroute(transaction, order, line)

    async def _reroute(self, transaction: Transaction, order: Order, line: Line) -> None:
        """Nothing was bought and Kinguin is switched off: take it from own stock."""
        if line.status not in {LineStatus.REQUESTED, LineStatus.DELAYED}:
            return
        now = self._clock.now()
        line.source_type = SourceType.CUSTOM
        order.move_line(line, LineStatus.DELAYED, now, "handed back by Kinguin")
        order.move_line(line, LineStatus.REQUESTED, now, "routed to own stock")
        await self._requests.again(transaction, order, [line])


def _answer_cancellation(
    order: Order, line: Line, message: FulfillmentUpdated, now: datetime
) -> None:
    """Released is owed back if it was paid; of keys that are on their way delivery decides."""
    if message.state is FulfillmentState.RELEASED:
        if order.is_paid:
            order.owe_back([line], now, message.reason or "released after cancellation")
    elif not order.is_paid:
        order.flag(f"line {line.id}: {message.reason or message.state.value}", now)


class ApplyStockUpdated:
    """Keeps the number of free keys the catalogue shows, and hears what is held for orders."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: StockUpdated) -> None:
        """Remember the level, where an older version changes nothing; or let the order go on.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        if message.reservation is not None:
            await self._settle(transaction, message.reservation)
        if message.level is not None:
            await catalogue_repository.set_stock(
                transaction,
                message.level.product_id,
                free=message.level.free,
                version=message.level.version,
            )

    async def _settle(self, transaction: Transaction, answer: Reservation) -> None:
        now = self._clock.now()
        order = await order_repository.get(transaction, answer.order_id)
        if order.settle_reservation(now, held=answer.held):
            await publish_order_cancelled(transaction, order, SOLD_OUT, now)
        await order_repository.save(transaction, order)
