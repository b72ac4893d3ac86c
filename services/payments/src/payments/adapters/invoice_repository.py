"""Invoices in PostgreSQL. Whoever changes anything about an order holds its row's lock."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from contracts import Money, PaymentState
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from payments.adapters.history import Change, remember
from payments.adapters.tables import acceptances, cancelled_orders, confirmations, invoices
from payments.domain.invoice import Invoice, InvoiceState


def _payment_in(table: sa.Table) -> sa.ScalarSelect[Any]:
    of_order = table.c.order_id == sa.bindparam("its_order")
    return sa.select(table.c.payment_id).where(of_order).scalar_subquery()


_SETTLED_BY: Final = sa.select(_payment_in(confirmations), _payment_in(acceptances))


async def serialise(transaction: Transaction, order_id: UUID) -> None:
    """Let nobody else take or cancel this order until the transaction ends.

    There may be no row to lock yet, and both messages can come at the same moment.
    """
    key = int.from_bytes(order_id.bytes[8:], signed=True)  # the random half of a UUIDv7
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def add(transaction: Transaction, invoice: Invoice) -> bool:
    """Store a new one; False when the order is known already."""
    added = await transaction.scalar(
        insert(invoices)
        .values(
            order_id=invoice.order_id,
            price_amount=invoice.price.amount,
            price_currency=invoice.price.currency,
            description=invoice.description,
            placed_at=invoice.placed_at,
            expires_at=invoice.expires_at,
            state=invoice.state,
        )
        .on_conflict_do_nothing()
        .returning(invoices.c.order_id)
    )
    return added is not None


async def find(transaction: Transaction, order_id: UUID) -> Invoice | None:
    """The invoice of an order as it is now, or None."""
    return await _fetch(transaction, sa.select(invoices).where(invoices.c.order_id == order_id))


async def lock(transaction: Transaction, order_id: UUID) -> Invoice | None:
    """The invoice with its row locked until the transaction ends, or None."""
    query = sa.select(invoices).where(invoices.c.order_id == order_id).with_for_update()
    return await _fetch(transaction, query)


async def _fetch(transaction: Transaction, query: sa.Select[Any]) -> Invoice | None:
    row = (await transaction.execute(query)).one_or_none()
    if row is None:
        return None
    # Asked after the lock was had: a joined row would be as old as the wait for it.
    settled_by = await transaction.execute(_SETTLED_BY, {"its_order": row.order_id})
    confirmed, accepted = settled_by.one()
    invoice = _invoice(row, confirmed or accepted)
    return replace(invoice, is_accepted=confirmed is None and accepted is not None)


async def move(
    transaction: Transaction, invoice: Invoice, to: InvoiceState, at: datetime, reason: str
) -> Invoice:
    """Take a step of a locked invoice.

    Raises:
        ValueError: the table does not allow it.
    """
    if not invoice.may_become(to):
        raise ValueError(f"an invoice does not go from {invoice.state.value} to {to.value}")
    await _set(transaction, invoice, state=to)
    await remember(
        transaction, Change(invoice.order_id, at, f"invoice {to.value}", "payments", reason)
    )
    return replace(invoice, state=to)


async def set_ids(
    transaction: Transaction, invoice: Invoice, *, invoice_id: str, invoice_url: str
) -> Invoice:
    """Remember what the gateway calls it, and where it can be paid."""
    await _set(transaction, invoice, invoice_id=invoice_id, invoice_url=invoice_url)
    return replace(invoice, invoice_id=invoice_id, invoice_url=invoice_url)


async def set_reported(transaction: Transaction, order_id: UUID, state: PaymentState) -> None:
    """Remember what orders was told last."""
    await transaction.execute(
        sa.update(invoices).where(invoices.c.order_id == order_id).values(reported=state)
    )


async def bury(transaction: Transaction, order_id: UUID) -> None:
    """Remember that an order nobody has told us about was cancelled."""
    await transaction.execute(
        insert(cancelled_orders).values(order_id=order_id).on_conflict_do_nothing()
    )


async def is_buried(transaction: Transaction, order_id: UUID) -> bool:
    """Whether the order was cancelled before it came."""
    query = sa.select(cancelled_orders).where(cancelled_orders.c.order_id == order_id)
    return (await transaction.execute(query)).one_or_none() is not None


async def _set(transaction: Transaction, invoice: Invoice, **values: object) -> None:
    await transaction.execute(
        sa.update(invoices).where(invoices.c.order_id == invoice.order_id).values(**values)
    )


def _invoice(row: sa.Row[Any], settled_by: str | None) -> Invoice:
    return Invoice(
        order_id=row.order_id,
        price=Money(amount=row.price_amount, currency=row.price_currency),
        description=row.description,
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        state=InvoiceState(row.state),
        invoice_id=row.invoice_id,
        invoice_url=row.invoice_url,
        settled_by=settled_by,
        reported=PaymentState(row.reported) if row.reported else None,
    )
