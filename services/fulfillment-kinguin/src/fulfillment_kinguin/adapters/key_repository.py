"""Bought keys, sealed for delivery: plaintext never reaches a row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import Sealed, SealedKey
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_kinguin.adapters.tables import purchase_keys, purchases
from fulfillment_kinguin.domain.purchase import PurchaseState


async def keep(
    transaction: Transaction,
    purchase_id: UUID,
    key_by_kinguin_id: Mapping[str, SealedKey],
    now: datetime,
) -> None:
    """Store keys not seen before; one that was bought before, under any id, is left out."""
    if not key_by_kinguin_id:
        return
    rows = [
        _row(purchase_id, kinguin_id, key, now) for kinguin_id, key in key_by_kinguin_id.items()
    ]
    await transaction.execute(insert(purchase_keys).values(rows).on_conflict_do_nothing())


async def of_purchase(transaction: Transaction, purchase_id: UUID) -> list[SealedKey]:
    """The keys a purchase has brought so far, in the order of their ids."""
    query = sa.select(purchase_keys).where(purchase_keys.c.purchase_id == purchase_id)
    rows = await transaction.execute(query.order_by(purchase_keys.c.id))
    return [_sealed_key(row) for row in rows]


async def first_bought_at(transaction: Transaction, purchase_id: UUID) -> datetime | None:
    """When the first key of a purchase was seen; None while none was."""
    found: datetime | None = await transaction.scalar(
        sa.select(sa.func.min(purchase_keys.c.bought_at)).where(
            purchase_keys.c.purchase_id == purchase_id
        )
    )
    return found


async def of_line(transaction: Transaction, line_id: UUID) -> list[SealedKey]:
    """The keys that were handed to delivery for a line."""
    query = (
        sa.select(purchase_keys)
        .join(purchases, purchases.c.id == purchase_keys.c.purchase_id)
        .where(purchases.c.line_id == line_id, purchases.c.state == PurchaseState.KEYS_READY)
        .order_by(purchase_keys.c.id)
    )
    return [_sealed_key(row) for row in await transaction.execute(query)]


def _row(purchase_id: UUID, kinguin_id: str, key: SealedKey, now: datetime) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "purchase_id": purchase_id,
        "kinguin_key_id": kinguin_id,
        "fingerprint": key.fingerprint,
        "media_type": key.media_type,
        "sealed": key.sealed.model_dump(mode="json"),
        "bought_at": now,
    }


def _sealed_key(row: sa.Row[Any]) -> SealedKey:
    return SealedKey(
        key_id=row.id,
        fingerprint=row.fingerprint,
        media_type=row.media_type,
        sealed=Sealed.model_validate(row.sealed),
    )
