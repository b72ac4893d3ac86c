"""Refunds in PostgreSQL. All of an order's are changed under the lock of its row.

Addresses are customer data: they stay in this database, as the buyers' e-mail addresses do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.jobs import schedule
from sqlalchemy.dialects.postgresql import insert

from orders.adapters.tables import refunds
from orders.domain.order import Order
from orders.domain.refund import Destination, Refund, RefundState
from orders.domain.states import LineStatus
from orders.errors import UnknownRefund

TELL_REFUNDS: Final = "tell_refunds"
"""The job that mails the buyer; subject: order id."""


@dataclass(frozen=True, slots=True)
class OwedPayment:
    """Money of a payment that fulfils nothing."""

    payment_id: str
    amount: Decimal
    currency: str | None
    reason: str


async def note_lines(
    transaction: Transaction, order: Order, now: datetime, reasons: dict[UUID, str | None]
) -> None:
    """Every line that is owed back has its refund; one that has it keeps it as it is."""
    due = [line for line in order.lines if line.status is LineStatus.REFUND_DUE]
    if not due:
        return
    rows = [
        _new_row(
            order.id,
            now,
            item_id=line.id,
            subject=line.title if line.quantity == 1 else f"{line.title} × {line.quantity}",  # noqa: RUF001  the sign for times
            amount=order.owed_for(line),
            currency=order.currency,
            reason=reasons.get(line.id) or "owed back",
        )
        for line in due
    ]
    noted = await transaction.scalars(
        insert(refunds)
        .values(rows)
        .on_conflict_do_nothing(index_elements=[refunds.c.item_id])
        .returning(refunds.c.id)
    )
    if noted.all():
        await tell_buyer(transaction, order.id, now)


async def note_payment(
    transaction: Transaction, order_id: UUID, owed: OwedPayment, now: datetime
) -> bool:
    """This payment has its refund, over the greatest amount heard of.

    False when it was sent before and is too little now: a person has to look.
    """
    known = await of_order(transaction, order_id)
    refund = next((r for r in known if r.payment_id == owed.payment_id), None)
    if refund is not None:
        fits = refund.raise_to(owed.amount)
        await save(transaction, refund)
        return fits
    row = _new_row(
        order_id,
        now,
        payment_id=owed.payment_id,
        subject=f"payment {owed.payment_id}",
        amount=owed.amount,
        currency=owed.currency,
        reason=owed.reason,
    )
    await transaction.execute(sa.insert(refunds).values(row))
    await tell_buyer(transaction, order_id, now)
    return True


async def raise_lines(transaction: Transaction, order: Order) -> bool:
    """More of the price has come: its lines are owed more. False where one was sent before."""
    fits = True
    for refund in await of_order(transaction, order.id):
        line = order.line(refund.line_id)
        if line is not None:
            fits &= refund.raise_to(order.owed_for(line))
            await save(transaction, refund)
    return fits


async def tell_buyer(transaction: Transaction, order_id: UUID, now: datetime) -> None:
    """Have the buyer mailed about what is new."""
    await schedule(transaction, TELL_REFUNDS, order_id, now)


async def of_order(transaction: Transaction, order_id: UUID) -> Sequence[Refund]:
    """All refunds of an order, oldest first."""
    query = sa.select(refunds).where(refunds.c.order_id == order_id)
    rows = await transaction.execute(query.order_by(refunds.c.due_at, refunds.c.id))
    return [_refund(row) for row in rows]


async def order_of(transaction: Transaction, refund_id: UUID) -> UUID:
    """The order a refund belongs to.

    Raises:
        UnknownRefund: there is none with this id.
    """
    found: UUID | None = await transaction.scalar(
        sa.select(refunds.c.order_id).where(refunds.c.id == refund_id)
    )
    if found is None:
        raise UnknownRefund(refund_id)
    return found


async def page(
    transaction: Transaction, limit: int, after: tuple[UUID] | None, state: RefundState | None
) -> Sequence[Refund]:
    """Refunds, newest first."""
    query = sa.select(refunds).order_by(refunds.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(refunds.c.state == state)
    if after is not None:
        query = query.where(refunds.c.id < after[0])
    return [_refund(row) for row in await transaction.execute(query)]


async def save(transaction: Transaction, *changed: Refund) -> None:
    """Store changed refunds."""
    for refund in changed:
        await transaction.execute(
            sa.update(refunds).where(refunds.c.id == refund.id).values(**_mutable(refund))
        )


def find(known: Iterable[Refund], refund_id: UUID) -> Refund:
    """One of these refunds.

    Raises:
        UnknownRefund: it is not among them.
    """
    for refund in known:
        if refund.id == refund_id:
            return refund
    raise UnknownRefund(refund_id)


def _new_row(order_id: UUID, now: datetime, **fields: Any) -> dict[str, Any]:
    start = {"state": RefundState.DUE, "actor": "system", "due_at": now}
    return {"id": new_id(), "order_id": order_id} | start | fields


def _mutable(refund: Refund) -> dict[str, Any]:
    destination = refund.destination
    return {
        "amount": refund.amount,
        "state": refund.state,
        "coin": destination.coin if destination else None,
        "address": destination.address if destination else None,
        "address_version": refund.address_version,
        "tx_hash": refund.tx_hash,
        "actor": refund.actor,
        "address_given_at": refund.address_given_at,
        "sent_at": refund.sent_at,
        "due_told": refund.due_told,
        "address_told": refund.address_told,
        "sent_told": refund.sent_told,
    }


def _refund(row: sa.Row[Any]) -> Refund:
    return Refund(
        id=row.id,
        order_id=row.order_id,
        line_id=row.item_id,
        payment_id=row.payment_id,
        subject=row.subject,
        amount=row.amount,
        currency=row.currency,
        reason=row.reason,
        due_at=row.due_at,
        state=RefundState(row.state),
        destination=None if row.address is None else Destination(row.coin, row.address),
        address_version=row.address_version,
        tx_hash=row.tx_hash,
        actor=row.actor,
        address_given_at=row.address_given_at,
        sent_at=row.sent_at,
        due_told=row.due_told,
        address_told=row.address_told,
        sent_told=row.sent_told,
    )
