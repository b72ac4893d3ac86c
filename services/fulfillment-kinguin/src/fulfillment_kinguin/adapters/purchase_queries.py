"""What admins see of purchases: facts and counts, never keys."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from fulfillment_kinguin.adapters.tables import lines, purchase_keys, purchases
from fulfillment_kinguin.domain.purchase import PurchaseState


async def find(
    transaction: Transaction,
    limit: int,
    after: tuple[UUID] | None,
    state: PurchaseState | None,
) -> Sequence[sa.Row[Any]]:
    """Purchases, the newest first."""
    query = _PURCHASES.order_by(purchases.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(purchases.c.id < after[0])
    if state is not None:
        query = query.where(purchases.c.state == state)
    return (await transaction.execute(query)).all()


async def one(transaction: Transaction, purchase_id: UUID) -> sa.Row[Any]:
    """One purchase that exists."""
    return (await transaction.execute(_PURCHASES.where(purchases.c.id == purchase_id))).one()


_KEYS = (
    sa.select(sa.func.count())
    .where(purchase_keys.c.purchase_id == purchases.c.id)
    .scalar_subquery()
    .label("keys")
)
_PURCHASES = sa.select(
    purchases, lines.c.order_id, lines.c.title, lines.c.state.label("line_state"), _KEYS
).join_from(purchases, lines)
