"""What admins see of deliveries: states, counts and the log of reveals."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from delivery.adapters.tables import deliveries, reveal_log

_SHOWN = [
    deliveries.c[name]
    for name in (
        "id",
        "order_id",
        "line_id",
        "title",
        "source_type",
        "state",
        "reveals_used",
        "ready_at",
        "expires_at",
        "mailed_at",
    )
]


async def search(
    transaction: Transaction, limit: int, after: tuple[UUID] | None, order_id: UUID | None
) -> list[dict[str, Any]]:
    """Deliveries, newest first, each with its reveals."""
    query = sa.select(*_SHOWN).order_by(deliveries.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(deliveries.c.id < after[0])
    if order_id is not None:
        query = query.where(deliveries.c.order_id == order_id)
    rows = [dict(row) for row in (await transaction.execute(query)).mappings()]
    reveals = await _reveals(transaction, [row["id"] for row in rows])
    return [{**row, "reveals": reveals.get(row["id"], [])} for row in rows]


async def _reveals(
    transaction: Transaction, delivery_ids: list[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    rows = await transaction.execute(
        sa.select(reveal_log)
        .where(reveal_log.c.delivery_id.in_(delivery_ids))
        .order_by(reveal_log.c.id)
    )
    by_delivery: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        entry = {"at": row.at, "opened_by": row.opened_by, "client": row.client}
        by_delivery.setdefault(row.delivery_id, []).append(entry)
    return by_delivery
