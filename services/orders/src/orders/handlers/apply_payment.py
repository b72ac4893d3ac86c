"""What the money does to an order.

Confirmed money is never refused: a cancelled order owes it back, an expired one is
paid late and delivered if that is still possible, any other is fulfilled.
"""

from datetime import datetime
from decimal import Decimal

from contracts import PaymentConfirmed, PaymentState, PaymentUpdated
from foundation.clock import Clock
from persistence.database import Transaction

from orders.adapters import order_repository, refund_repository
from orders.adapters.publish_order_cancelled import publish_order_cancelled
from orders.adapters.refund_repository import OwedPayment
from orders.domain.order import Order, part_of
from orders.domain.states import MoneyStatus
from orders.handlers.let_go_underpaid import LetGoUnderpaid
from orders.handlers.request_lines import RequestLines

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
_FLAGGED = {PaymentState.NEEDS_ATTENTION, PaymentState.REFUNDED}


class ApplyPaymentUpdated:
    """Follows the gateway's progress; nothing here makes an order paid."""

    def __init__(self, let_go_underpaid: LetGoUnderpaid, clock: Clock) -> None:
        self._let_go_underpaid = let_go_underpaid
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: PaymentUpdated) -> None:
        """Record the progress.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        now = self._clock.now()
        is_noted = await _note_refund(transaction, order, message, now)
        if message.state in _FLAGGED or (message.state is PaymentState.MORE_MONEY and not is_noted):
            order.flag(f"payment {message.state.value}: {message.reason or 'see payments'}", now)
        elif message.state is not PaymentState.MORE_MONEY:
            if _follow(order, message) and order.is_paid:
                await _raise_refunds(transaction, order, now)
            moved = order.move_money(_MONEY_BY_STATE[message.state], now, message.reason)
            if moved and order.money is MoneyStatus.UNDERPAID:
                await self._let_go_underpaid.plan(transaction, order)
            if _is_over(order) and order.let_go_of_stock():
                reason = message.reason or "not paid in time"
                await publish_order_cancelled(transaction, order, reason, now, final=False)
        await order_repository.save(transaction, order)


async def _note_refund(
    transaction: Transaction, order: Order, message: PaymentUpdated, now: datetime
) -> bool:
    """Money that fulfils nothing is work with a list of its own; whether it is on that list."""
    owed = _owed(message)
    return owed is not None and await refund_repository.note_payment(
        transaction, order.id, owed, now
    )


def _owed(message: PaymentUpdated) -> OwedPayment | None:
    """How much of which payment; the previous release says it in `paid` only."""
    is_older = message.refundable is None and message.state is PaymentState.MORE_MONEY
    money = message.paid if is_older else message.refundable
    if money is None or message.payment_id is None:
        return None
    reason = message.reason or "more than was asked for"
    return OwedPayment(message.payment_id, money.amount, money.currency, reason)


def _is_over(order: Order) -> bool:
    """Whether nobody is expected to pay any more: expired, or without a way to pay."""
    cannot_be_paid = order.money is MoneyStatus.FAILED and order.invoice_url is None
    return order.money is MoneyStatus.EXPIRED or cannot_be_paid


def _follow(order: Order, message: PaymentUpdated) -> bool:
    """Take over what is news about the payment; False when it is none."""
    order.invoice_url = message.invoice_url or order.invoice_url
    if not _is_news(order, message):
        return False
    order.payment_state = message.state.value
    order.payment_id = message.payment_id or order.payment_id
    order.asked = message.asked or order.asked
    order.paid = message.paid or order.paid
    return True


def _is_news(order: Order, message: PaymentUpdated) -> bool:
    """Of several part payments the largest counts; of a paid order the accepted one, growing."""
    known = part_of(order.asked, order.paid) or Decimal(0)
    heard = part_of(message.asked, message.paid) or Decimal(0)
    is_part = message.state is PaymentState.PARTIALLY_PAID
    if order.is_paid:
        is_same = order.is_accepted and message.payment_id == order.payment_id
        return is_part and is_same and heard > known
    has_part = order.payment_state == PaymentState.PARTIALLY_PAID
    return not (is_part and has_part and heard < known)


async def _raise_refunds(transaction: Transaction, order: Order, now: datetime) -> None:
    """The rest of an accepted part payment has come: what is owed back is more."""
    if not await refund_repository.raise_lines(transaction, order):
        order.flag("more was paid after a refund of it was sent", now)


class ApplyPaymentConfirmed:
    """The money is in: ask for the keys."""

    def __init__(self, requests: RequestLines, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: PaymentConfirmed) -> None:
        """Route every line, once.

        Raises:
            UnknownOrder: the order is not here (yet); the message is tried again.
        """
        order = await order_repository.get(transaction, message.order_id)
        now = self._clock.now()
        was_accepted = order.is_accepted
        order.payment_state = "finished"
        order.payment_id, order.paid = message.payment_id, message.paid
        if order.confirm(now):
            await self._requests.waiting(transaction, order)
        if was_accepted:
            await _raise_refunds(transaction, order, now)
        await order_repository.save(transaction, order)
