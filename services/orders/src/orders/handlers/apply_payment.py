"""What the money does to an order.

Confirmed money is never refused: a cancelled order owes it back, an expired one is
paid late and delivered if that is still possible, any other is fulfilled.
"""

from contracts import PaymentConfirmed, PaymentState, PaymentUpdated, SourceType
from foundation.clock import Clock
from servicekit.database import Transaction

from orders.adapters import catalogue_repository, order_repository
from orders.adapters.publish_fulfillment_requested import FulfillmentRequests
from orders.domain.order import Line, Order
from orders.domain.states import LineStatus, MoneyStatus

_MONEY_BY_STATE = {
    PaymentState.INVOICE_READY: MoneyStatus.INVOICED,
    PaymentState.WAITING: MoneyStatus.INVOICED,
    PaymentState.CONFIRMING: MoneyStatus.CONFIRMING,
    PaymentState.CONFIRMED: MoneyStatus.CONFIRMING,
    PaymentState.SENDING: MoneyStatus.CONFIRMING,
    PaymentState.PARTIALLY_PAID: MoneyStatus.UNDERPAID,
    PaymentState.FAILED: MoneyStatus.FAILED,
    PaymentState.EXPIRED: MoneyStatus.EXPIRED,
}
_FLAGGED = {PaymentState.MORE_MONEY, PaymentState.NEEDS_ATTENTION, PaymentState.REFUNDED}


class ApplyPaymentUpdated:
    """Follows the gateway's progress; nothing here makes an order paid."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: PaymentUpdated) -> None:
        """Record the progress.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        now = self._clock.now()
        if message.state in _FLAGGED:
            order.flag(f"payment {message.state.value}: {message.reason or 'see payments'}", now)
        else:
            _follow(order, message)
            order.move_money(_MONEY_BY_STATE[message.state], now, message.reason)
        await order_repository.save(transaction, order)


def _follow(order: Order, message: PaymentUpdated) -> None:
    order.invoice_url = message.invoice_url or order.invoice_url
    if order.is_paid:
        return
    order.payment_state = message.state.value
    order.payment_id = message.payment_id or order.payment_id
    order.asked = message.asked or order.asked
    order.paid = message.paid or order.paid


class ApplyPaymentConfirmed:
    """The money is in: ask for the keys."""

    def __init__(self, requests: FulfillmentRequests, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: PaymentConfirmed) -> None:
        """Route every line, once.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        now = self._clock.now()
        order.payment_state = "finished"
        order.payment_id, order.paid = message.payment_id, message.paid
        if order.confirm(now):
            await request_waiting_lines(transaction, order, self._requests, self._clock)
        await order_repository.save(transaction, order)


async def request_waiting_lines(
    transaction: Transaction, order: Order, requests: FulfillmentRequests, clock: Clock
) -> None:
    """Ask for the keys of the lines that nobody was asked for yet.

    A line that was paid late is owed back where its keys are not at hand any more.
    """
    now = clock.now()
    waiting = [line for line in order.lines if line.status is LineStatus.WAITING]
    if order.late:
        gone = [line for line in waiting if not await _still_sellable(transaction, line)]
        order.owe_back(gone, now, "paid late and not available any more")
        waiting = [line for line in waiting if line not in gone]
    if waiting:
        await requests.publish(transaction, order, waiting, now)
    for line in waiting:
        order.move_line(line, LineStatus.REQUESTED, now)


async def _still_sellable(transaction: Transaction, line: Line) -> bool:
    product = await catalogue_repository.find(transaction, line.product_id)
    if product is None or product.retail_price > line.unit_price:
        return False
    if line.source_type is SourceType.KINGUIN:
        return product.source_type is SourceType.KINGUIN
    return product.free_stock >= line.quantity
