"""From an order to the JSON that shows it."""

from collections.abc import Sequence

from orders.domain.order import Change, Delivery, Line, Order
from orders.domain.refund import Refund
from orders.domain.refund_texts import refund_text
from orders.domain.states import LineStatus, ReservationStatus
from orders.domain.status_text import status_text
from orders.entrypoints.schemas import (
    AdminChangeOut,
    AdminOrderDetailOut,
    AdminOrderOut,
    DeliveryOut,
    HistoryOut,
    ItemOut,
    OrderOut,
    OrderPageOut,
    OwedOut,
    PaymentOut,
    PlacedOrderOut,
    Price,
)


def _item(order: Order, line: Line) -> ItemOut:
    delivery = _open_delivery(line)
    return ItemOut(
        id=line.id,
        product_id=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=Price(amount=line.unit_price, currency=order.currency),
        source_type=line.source_type,
        status=line.status.value,
        cancellation=line.cancellation,
        replaces=line.replaces,
        delivery=delivery
        and DeliveryOut(
            id=delivery.id,
            ready_at=delivery.ready_at,
            reveals_left=delivery.reveals_left,
            expires_at=delivery.expires_at,
        ),
    )


def _open_delivery(line: Line) -> Delivery | None:
    """The delivery, unless its link is void: then there is nothing to open."""
    is_void = line.status in {LineStatus.REFUND_DUE, LineStatus.REFUNDED, LineStatus.CANCELLED}
    return None if is_void else line.delivery


def _order(order: Order) -> OrderOut:
    return OrderOut(
        id=order.id,
        status=order.status.value,
        total=Price(amount=order.total.amount, currency=order.currency),
        items=[_item(order, line) for line in order.lines],
        expires_at=order.expires_at,
    )


def _payment(order: Order) -> PaymentOut:
    coin = order.paid or order.asked
    return PaymentOut(
        status=order.payment_state,
        invoice_url=order.invoice_url if order.may_be_paid else None,
        price=Price(amount=order.total.amount, currency=order.currency),
        pay_currency=coin.currency if coin else None,
        paid=order.paid.amount if order.paid else None,
    )


def placed_order(order: Order, access_token: str) -> PlacedOrderOut:
    """The answer to placing."""
    return PlacedOrderOut(**dict(_order(order)), access_token=access_token)


def order_page(order: Order, history: Sequence[Change], refunds: Sequence[Refund]) -> OrderPageOut:
    """What the buyer sees: the order's own history, without the lines', and what is owed."""
    ready = any(_open_delivery(line) is not None for line in order.lines)
    return OrderPageOut(
        **dict(_order(order)),
        status_text=status_text(
            order.status,
            has_ready_key=ready,
            is_sold_out=order.reservation is ReservationStatus.REFUSED,
        ),
        payment=_payment(order),
        history=[HistoryOut(at=c.at, status=c.status) for c in history if c.line_id is None],
        refunds=[_owed(refund) for refund in refunds],
    )


def _owed(refund: Refund) -> OwedOut:
    return OwedOut(
        amount=refund.amount,
        currency=refund.currency,
        state=refund.state.value,
        text=refund_text(refund),
        tx_hash=refund.tx_hash,
    )


def admin_order(order: Order) -> AdminOrderOut:
    """A row of the admin's list."""
    return AdminOrderOut(
        **dict(_order(order)),
        email=order.email,
        source_type=order.source_type,
        placed_at=order.placed_at,
        attention=order.attention,
        payment=_payment(order),
    )


def admin_order_detail(order: Order, history: Sequence[Change]) -> AdminOrderDetailOut:
    """An order with everything that happened to it."""
    return AdminOrderDetailOut(
        **dict(admin_order(order)),
        history=[
            AdminChangeOut(at=c.at, status=c.status, item_id=c.line_id, reason=c.reason)
            for c in history
        ],
    )
