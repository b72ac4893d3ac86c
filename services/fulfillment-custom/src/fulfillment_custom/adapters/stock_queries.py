"""What admins see of the stock: counts, never keys."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from fulfillment_custom.adapters.tables import lines, stock_keys, stock_levels

STATES = ("free", "reserved", "assigned", "withdrawn")


async def levels(
    transaction: Transaction, limit: int, after: tuple[UUID] | None, product_id: UUID | None
) -> list[dict[str, Any]]:
    """Per product the keys by state, and the lines that wait."""
    query = _PER_PRODUCT.order_by(stock_levels.c.product_id).limit(limit)
    if after is not None:
        query = query.where(stock_levels.c.product_id > after[0])
    if product_id is not None:
        query = query.where(stock_levels.c.product_id == product_id)
    return [dict(row) for row in (await transaction.execute(query)).mappings()]


def _keys_in(state: str) -> sa.Label[int]:
    counted = (
        sa.select(sa.func.count())
        .where(stock_keys.c.product_id == stock_levels.c.product_id, stock_keys.c.state == state)
        .scalar_subquery()
    )
    return counted.label(state)


_WAITING = (
    sa.select(sa.func.count())
    .where(lines.c.product_id == stock_levels.c.product_id, lines.c.state == "waiting")
    .scalar_subquery()
)
_PER_PRODUCT = sa.select(
    stock_levels.c.product_id,
    *(_keys_in(state) for state in STATES),
    _WAITING.label("waiting_lines"),
)
