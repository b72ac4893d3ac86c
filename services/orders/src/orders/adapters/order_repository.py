"""Orders in PostgreSQL: loaded whole under a row lock, saved with their history."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import CoinAmount, SourceType
from persistence.database import Transaction
from persistence.measures import measure

from orders.adapters import refund_repository
from orders.adapters.metrics import PAID_TO_DELIVERED, STATUS_CHANGES
from orders.adapters.tables import order_history, order_items
from orders.adapters.tables import orders as orders_table
from orders.domain.order import Change, Delivery, Line, Order
from orders.domain.states import (
    Cancellation,
    LineStatus,
    MoneyStatus,
    OrderStatus,
    ReservationStatus,
)
from orders.errors import UnknownOrder


async def add(transaction: Transaction, order: Order) -> None:
    """Store a new order with its lines and the first rows of its history."""
    await transaction.execute(
        sa.insert(orders_table).values(
            id=order.id,
            email=order.email,
            currency=order.currency,
            total=order.total.amount,
            source_type=order.source_type,
            placed_at=order.placed_at,
            expires_at=order.expires_at,
            **_mutable(order),
        )
    )
    await transaction.execute(
        sa.insert(order_items),
        [_new_item(order, position, line) for position, line in enumerate(order.lines)],
    )
    await _write_history(transaction, order)


async def add_line(transaction: Transaction, order: Order, line: Line) -> None:
    """Store one more line of a locked order."""
    position = len(order.lines)
    order.lines = [*order.lines, line]
    await transaction.execute(sa.insert(order_items).values(_new_item(order, position, line)))


async def get(transaction: Transaction, order_id: UUID) -> Order:
    """The order, locked until the transaction ends.

    Raises:
        UnknownOrder: there is none with this id.
    """
    return await _load(transaction, order_id, lock=True)


async def read(transaction: Transaction, order_id: UUID) -> Order:
    """The order as it is now, without a lock: for answers only.

    Raises:
        UnknownOrder: there is none with this id.
    """
    return await _load(transaction, order_id, lock=False)


async def _load(transaction: Transaction, order_id: UUID, *, lock: bool) -> Order:
    query = sa.select(orders_table).where(orders_table.c.id == order_id)
    row = (await transaction.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise UnknownOrder(order_id)
    items = await transaction.execute(
        sa.select(order_items)
        .where(order_items.c.order_id == order_id)
        .order_by(order_items.c.position)
    )
    return _order(row, [_line(item) for item in items])


async def save(transaction: Transaction, order: Order) -> None:
    """Store what changed since `get`, and its history."""
    await transaction.execute(
        sa.update(orders_table).where(orders_table.c.id == order.id).values(**_mutable(order))
    )
    for line in order.lines:
        await transaction.execute(
            sa.update(order_items).where(order_items.c.id == line.id).values(**_mutable_item(line))
        )
    await _note_refunds(transaction, order)
    await _write_history(transaction, order)


async def _note_refunds(transaction: Transaction, order: Order) -> None:
    """Here, where every change passes: no way to `refund_due` can forget its refund."""
    due = [change for change in order.changes if change.status == LineStatus.REFUND_DUE]
    reasons = {change.line_id: change.reason for change in due if change.line_id}
    now = order.changes[-1].at if order.changes else order.paid_at or order.placed_at
    await refund_repository.note_lines(transaction, order, now, reasons)


async def history(transaction: Transaction, order_id: UUID) -> Sequence[Change]:
    """Every change of the order and its lines, oldest first."""
    rows = await transaction.execute(
        sa.select(order_history)
        .where(order_history.c.order_id == order_id)
        .order_by(order_history.c.seq)
    )
    return [Change(row.item_id, row.at, row.status, row.reason) for row in rows]


async def _write_history(transaction: Transaction, order: Order) -> None:
    if not order.changes:
        return
    rows = [
        {
            "order_id": order.id,
            "item_id": change.line_id,
            "at": change.at,
            "status": change.status,
            "reason": change.reason,
        }
        for change in order.changes
    ]
    await transaction.execute(sa.insert(order_history), rows)
    _measure(transaction, order)
    order.changes.clear()


def _measure(transaction: Transaction, order: Order) -> None:
    for change in order.changes:
        if change.line_id is None:
            measure(transaction, STATUS_CHANGES, status=change.status)
        elif change.status == LineStatus.STORED and order.paid_at is not None:
            line = next(line for line in order.lines if line.id == change.line_id)
            if line.replaces is not None:
                continue  # it was not this payment's promise
            waited_s = (change.at - order.paid_at).total_seconds()
            measure(transaction, PAID_TO_DELIVERED, waited_s, source=line.source_type)


def _mutable(order: Order) -> dict[str, Any]:
    coin = order.paid or order.asked
    return {
        "status": order.status,
        "money": order.money,
        "cancelled": order.cancelled,
        "late": order.late,
        "attention": order.attention,
        "invoice_url": order.invoice_url,
        "payment_state": order.payment_state,
        "payment_id": order.payment_id,
        "pay_currency": coin.currency if coin else None,
        "asked_amount": order.asked.amount if order.asked else None,
        "paid_amount": order.paid.amount if order.paid else None,
        "delivered_at": order.delivered_at,
        "reservation": order.reservation,
        "paid_at": order.paid_at,
    }


def _new_item(order: Order, position: int, line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "order_id": order.id,
        "position": position,
        "product_id": line.product_id,
        "title": line.title,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "backorder": line.backorder,
        "kinguin_product_id": line.kinguin_product_id,
        "kinguin_offer_id": line.kinguin_offer_id,
        "replaces": line.replaces,
        **_mutable_item(line),
    }


def _mutable_item(line: Line) -> dict[str, Any]:
    delivery = line.delivery
    return {
        "status": line.status,
        "product_source_type": line.source_type,  # changes only when Kinguin hands a line back
        "delivery_id": delivery.id if delivery else None,
        "delivery_version": delivery.version if delivery else None,
        "ready_at": delivery.ready_at if delivery else None,
        "reveals_left": delivery.reveals_left if delivery else None,
        "delivery_expires_at": delivery.expires_at if delivery else None,
        "cancellation": line.cancellation,
        "requested_at": line.requested_at,
    }


def _order(row: sa.Row[Any], lines: Sequence[Line]) -> Order:
    return Order(
        id=row.id,
        email=row.email,
        currency=row.currency,
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        lines=lines,
        status=OrderStatus(row.status),
        money=MoneyStatus(row.money),
        cancelled=row.cancelled,
        late=row.late,
        attention=list(row.attention),
        invoice_url=row.invoice_url,
        payment_state=row.payment_state,
        payment_id=row.payment_id,
        asked=_coin(row.asked_amount, row.pay_currency),
        paid=_coin(row.paid_amount, row.pay_currency),
        delivered_at=row.delivered_at,
        reservation=ReservationStatus(row.reservation),
        paid_at=row.paid_at,
    )


def _coin(amount: Decimal | None, currency: str | None) -> CoinAmount | None:
    if amount is None or currency is None:
        return None
    return CoinAmount(amount=amount, currency=currency)


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        id=row.id,
        product_id=row.product_id,
        title=row.title,
        quantity=row.quantity,
        unit_price=row.unit_price,
        source_type=SourceType(row.product_source_type),
        backorder=row.backorder,
        kinguin_product_id=row.kinguin_product_id,
        kinguin_offer_id=row.kinguin_offer_id,
        status=LineStatus(row.status),
        requested_at=row.requested_at,
        replaces=row.replaces,
        delivery=_delivery(row),
        cancellation=None if row.cancellation is None else Cancellation(row.cancellation),
    )


def _delivery(row: sa.Row[Any]) -> Delivery | None:
    if row.delivery_id is None:
        return None
    return Delivery(
        id=row.delivery_id,
        version=row.delivery_version,
        ready_at=row.ready_at,
        reveals_left=row.reveals_left,
        expires_at=row.delivery_expires_at,
    )
