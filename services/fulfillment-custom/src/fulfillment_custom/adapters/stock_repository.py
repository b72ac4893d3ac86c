"""Own stock in PostgreSQL. Whoever changes a product's stock holds its row's lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from contracts import Sealed, SealedKey
from foundation.clock import version_at
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_custom.adapters.tables import assignments, lines, stock_keys, stock_levels
from fulfillment_custom.domain.line import LineState

_ARRIVALS: Final = 20261125
"""Any constant; the locks of lines are random numbers of 64 bits."""

_ARRIVAL_WAIT_MS: Final = 14_000
"""Several uploads of 10,000 keys; below the deadline of a statement."""


async def serialise_arrivals(transaction: Transaction) -> None:
    """Let one transaction at a time bring new keys; taken before any product's lock.

    Two with the same keys in another order would wait for each other's rows.
    """
    await transaction.execute(sa.text(f"SET LOCAL lock_timeout = {_ARRIVAL_WAIT_MS}"))
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(_ARRIVALS)))


async def lock_product(transaction: Transaction, product_id: UUID) -> None:
    """Serialise everything that changes this product's stock until the transaction ends."""
    await transaction.execute(
        insert(stock_levels).values(product_id=product_id).on_conflict_do_nothing()
    )
    await transaction.execute(
        sa.select(stock_levels).where(stock_levels.c.product_id == product_id).with_for_update()
    )


async def next_level(transaction: Transaction, product_id: UUID, now: datetime) -> tuple[int, int]:
    """Free keys of a locked product, and a version above all before, also of a lost database."""
    version = await transaction.scalar(
        sa.update(stock_levels)
        .where(stock_levels.c.product_id == product_id)
        .values(version=sa.func.greatest(stock_levels.c.version + 1, version_at(now)))
        .returning(stock_levels.c.version)
    )
    return await free_keys(transaction, product_id), int(version or 0)


async def free_keys(transaction: Transaction, product_id: UUID) -> int:
    """How many keys nobody has."""
    found = await transaction.scalar(
        sa.select(sa.func.count())
        .select_from(stock_keys)
        .where(stock_keys.c.product_id == product_id, stock_keys.c.state == "free")
    )
    return int(found or 0)


async def add_keys(
    transaction: Transaction, product_id: UUID, keys: Sequence[SealedKey], *, origin: str
) -> int:
    """Put keys on the shelf; those the stock ever held are passed over. How many are new."""
    if not keys:
        return 0
    rows = [
        {
            "id": key.key_id,
            "product_id": product_id,
            "fingerprint": key.fingerprint,
            "media_type": key.media_type,
            "sealed": key.sealed.model_dump(mode="json"),
            "origin": origin,
            "state": "free",
        }
        for key in keys
    ]
    added = await transaction.execute(
        insert(stock_keys).on_conflict_do_nothing().returning(stock_keys.c.id), rows
    )
    return len(added.all())


async def assign_oldest(
    transaction: Transaction, product_id: UUID, line_id: UUID, quantity: int
) -> None:
    """Give the oldest free keys of a locked product to a line, all of them or an error.

    Raises:
        sqlalchemy.exc.IntegrityError: a key or a unit of the line is taken already.
        RuntimeError: fewer keys are free than were counted under the same lock.
    """
    taken = await _oldest_free(transaction, product_id, quantity)
    await assign(transaction, taken, line_id)


async def assign(transaction: Transaction, key_ids: Sequence[UUID], line_id: UUID) -> None:
    """Give these keys of a locked product to a line.

    Raises:
        sqlalchemy.exc.IntegrityError: a key or a unit of the line is taken already.
    """
    await transaction.execute(
        sa.update(stock_keys)
        .where(stock_keys.c.id.in_(key_ids))
        .values(state="assigned", reserved_for=None)
    )
    await transaction.execute(
        sa.insert(assignments),
        [
            {"key_id": key_id, "line_id": line_id, "unit_no": unit_no}
            for unit_no, key_id in enumerate(key_ids, start=1)
        ],
    )


async def reserve_oldest(
    transaction: Transaction, product_id: UUID, line_id: UUID, quantity: int
) -> None:
    """Hold the oldest free keys of a locked product for a line.

    Raises:
        RuntimeError: fewer keys are free than were counted under the same lock.
    """
    taken = await _oldest_free(transaction, product_id, quantity)
    await transaction.execute(
        sa.update(stock_keys)
        .where(stock_keys.c.id.in_(taken))
        .values(state="reserved", reserved_for=line_id)
    )


async def reserved_for(transaction: Transaction, line_id: UUID) -> Sequence[UUID]:
    """The keys that are held for a line of a locked product, oldest first."""
    rows = await transaction.scalars(
        sa.select(stock_keys.c.id)
        .where(stock_keys.c.reserved_for == line_id)
        .order_by(stock_keys.c.seq)
    )
    return rows.all()


async def products_reserved_for(transaction: Transaction, line_ids: Sequence[UUID]) -> set[UUID]:
    """The products of which keys are held for any of these lines."""
    query = sa.select(stock_keys.c.product_id).where(stock_keys.c.reserved_for.in_(line_ids))
    return set(await transaction.scalars(query.distinct()))


async def let_go(transaction: Transaction, line_ids: Sequence[UUID]) -> None:
    """Put the keys that are held for these lines back on the shelf; their products are locked."""
    await transaction.execute(
        sa.update(stock_keys)
        .where(stock_keys.c.reserved_for.in_(line_ids))
        .values(state="free", reserved_for=None)
    )


async def let_go_of_settled(transaction: Transaction, product_id: UUID) -> None:
    """Put keys of a locked product back that are held for lines which want them no more.

    A version before reservations serves lines from the shelf and leaves what is held for them:
    so it happens while both versions run, and after a rollback.
    """
    settled = sa.select(lines.c.id).where(
        lines.c.product_id == product_id, lines.c.state != LineState.WAITING
    )
    await transaction.execute(
        sa.update(stock_keys)
        .where(
            stock_keys.c.product_id == product_id,
            stock_keys.c.state == "reserved",
            stock_keys.c.reserved_for.in_(settled),
        )
        .values(state="free", reserved_for=None)
    )


async def _oldest_free(transaction: Transaction, product_id: UUID, quantity: int) -> Sequence[UUID]:
    taken = (
        await transaction.scalars(
            sa.select(stock_keys.c.id)
            .where(stock_keys.c.product_id == product_id, stock_keys.c.state == "free")
            .order_by(stock_keys.c.seq)
            .limit(quantity)
            .with_for_update()
        )
    ).all()
    if len(taken) != quantity:
        raise RuntimeError("stock changed under the product's lock")
    return taken


async def keys_of(transaction: Transaction, line_id: UUID) -> tuple[SealedKey, ...]:
    """The keys of a line, still sealed, in their order."""
    rows = await transaction.execute(
        sa.select(stock_keys)
        .join(assignments, assignments.c.key_id == stock_keys.c.id)
        .where(assignments.c.line_id == line_id)
        .order_by(assignments.c.unit_no)
    )
    return tuple(_sealed_key(row) for row in rows)


def _sealed_key(row: sa.Row[Any]) -> SealedKey:
    return SealedKey(
        key_id=row.id,
        fingerprint=row.fingerprint,
        media_type=row.media_type,
        sealed=Sealed.model_validate(row.sealed),
    )
