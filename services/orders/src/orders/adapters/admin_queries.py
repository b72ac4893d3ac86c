"""What admins look at: found in the rows, decided nowhere."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from orders.adapters.tables import audit_log, order_items, orders
from orders.domain.states import OrderStatus


async def find_orders(
    transaction: Transaction,
    limit: int,
    after: tuple[UUID] | None,
    status: OrderStatus | None,
    query: str | None,
) -> list[UUID]:
    """Ids, newest first; `query` is an order, payment or line id, or part of an address."""
    statement = sa.select(orders.c.id).order_by(orders.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(orders.c.id < after[0])
    if status is not None:
        statement = statement.where(orders.c.status == status)
    if query:
        statement = statement.where(_matches(query.strip()))
    return list(await transaction.scalars(statement))


async def attention_of(
    transaction: Transaction, order_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[str]]:
    """Why a person has to look at these orders; nothing for those that nobody has to."""
    query = sa.select(orders.c.id, orders.c.attention).where(orders.c.id.in_(order_ids))
    return {row.id: list(row.attention) for row in await transaction.execute(query)}


def _matches(query: str) -> sa.ColumnElement[bool]:
    try:
        known_id = UUID(query)
    except ValueError:
        return sa.or_(
            orders.c.email.icontains(query, autoescape=True), orders.c.payment_id == query
        )
    of_line = sa.select(order_items.c.order_id).where(
        sa.or_(order_items.c.id == known_id, order_items.c.delivery_id == known_id)
    )
    return sa.or_(orders.c.id == known_id, orders.c.id.in_(of_line))


async def audit_rows(
    transaction: Transaction, limit: int, after: tuple[UUID] | None
) -> list[dict[str, Any]]:
    """The audit log, newest first."""
    statement = sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(audit_log.c.id < after[0])
    return [dict(row) for row in (await transaction.execute(statement)).mappings()]


async def dashboard(transaction: Transaction) -> dict[str, Any]:
    """Orders by status, and the oldest paid order that waits for keys, by source."""
    by_status = await transaction.execute(
        sa.select(orders.c.status, sa.func.count().label("number")).group_by(orders.c.status)
    )
    waiting = await transaction.execute(
        sa.select(
            order_items.c.product_source_type,
            sa.func.count().label("number"),
            sa.func.min(orders.c.placed_at).label("oldest"),
        )
        .join(orders)
        .where(order_items.c.status.in_(["requested", "delayed"]))
        .group_by(order_items.c.product_source_type)
    )
    return {
        "orders": {row.status: row.number for row in by_status},
        "waiting_lines": {
            row.product_source_type: {"count": row.number, "oldest_placed_at": row.oldest}
            for row in waiting
        },
    }
