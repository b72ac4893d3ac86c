"""Deliveries in PostgreSQL."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import KeyReady, Sealed, SealedKey
from foundation.clock import new_id
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import distinct_on, insert

from delivery.adapters.tables import cancelled_lines, deliveries, disputed_keys
from delivery.domain.delivery import HOLDING, Delivery, Envelope, State


async def serialise(transaction: Transaction, line_id: UUID) -> None:
    """Let nobody else store or cancel this line until the transaction ends.

    There may be no row to lock yet, and both messages can come at the same moment.
    """
    key = int.from_bytes(line_id.bytes[8:], signed=True)  # the random half of a UUIDv7
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def add(transaction: Transaction, message: KeyReady) -> Delivery | None:
    """A new delivery, or None when the line has one: one line, one delivery."""
    added = await transaction.execute(
        insert(deliveries)
        .values(
            id=new_id(),
            line_id=message.line_id,
            order_id=message.order_id,
            product_id=message.product_id,
            title=message.title,
            source_type=message.source_type,
            lines_in_order=message.lines_in_order,
            buyer=message.buyer.model_dump(mode="json"),
            fingerprints=[key.fingerprint for key in message.keys],
            sealed_keys=[key.model_dump(mode="json") for key in message.keys],
            state=State.RECEIVED,
            version=0,
            link_version=1,
            reveals_used=0,
            was_revealed=False,
        )
        .on_conflict_do_nothing(index_elements=["line_id"])
        .returning(deliveries)
    )
    row = added.one_or_none()
    return None if row is None else _delivery(row)


async def is_given_to_another(transaction: Transaction, delivery: Delivery) -> bool:
    """Whether a buyer of another line has, or had, one of these keys before the eyes.

    Until the transaction ends nobody else is given them. Keys that were voided unseen may be
    given again.
    """
    for fingerprint in sorted(delivery.fingerprints):
        key = int.from_bytes(hashlib.sha256(fingerprint.encode()).digest()[:8], signed=True)
        await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    is_held = deliveries.c.state.in_(HOLDING) | deliveries.c.was_revealed
    others = sa.select(deliveries.c.id).where(
        deliveries.c.fingerprints.overlap(list(delivery.fingerprints)),
        deliveries.c.line_id != delivery.line_id,
        is_held,
    )
    return (await transaction.execute(others.limit(1))).one_or_none() is not None


async def dispute(transaction: Transaction, message: KeyReady) -> None:
    """Keep keys that came for a line that has others: a person decides."""
    await transaction.execute(
        insert(disputed_keys)
        .values(
            message_id=message.id,
            line_id=message.line_id,
            keys=[key.model_dump(mode="json") for key in message.keys],
        )
        .on_conflict_do_nothing()
    )


async def of_line(transaction: Transaction, line_id: UUID) -> Delivery | None:
    """The line's delivery, locked."""
    return await _one(
        transaction, sa.select(deliveries).where(deliveries.c.line_id == line_id).with_for_update()
    )


async def get(transaction: Transaction, delivery_id: UUID) -> Delivery | None:
    """The delivery, locked."""
    return await _one(
        transaction, sa.select(deliveries).where(deliveries.c.id == delivery_id).with_for_update()
    )


async def read(transaction: Transaction, delivery_id: UUID) -> Delivery | None:
    """The delivery as it is now, without a lock."""
    return await _one(transaction, sa.select(deliveries).where(deliveries.c.id == delivery_id))


async def of_order(transaction: Transaction, order_id: UUID) -> Sequence[Delivery]:
    """All deliveries of an order, locked, in the order in which they came."""
    rows = await transaction.execute(
        sa.select(deliveries)
        .where(deliveries.c.order_id == order_id)
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    return [_delivery(row) for row in rows]


async def save(transaction: Transaction, delivery: Delivery) -> None:
    """Store what changed."""
    envelope = delivery.envelope
    keys = delivery.sealed_keys
    await transaction.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery.id)
        .values(
            state=delivery.state,
            version=delivery.version,
            link_version=delivery.link_version,
            reveals_used=delivery.reveals_used,
            was_revealed=delivery.was_revealed,
            ready_at=delivery.ready_at,
            expires_at=delivery.expires_at,
            mailed_at=delivery.mailed_at,
            sealed_keys=(
                sa.null() if keys is None else [key.model_dump(mode="json") for key in keys]
            ),
            object_key=envelope.object_key if envelope else None,
            kek_id=envelope.kek_id if envelope else None,
            wrapped_key=envelope.wrapped_key if envelope else None,
            nonce=envelope.nonce if envelope else None,
            checksum=envelope.checksum if envelope else None,
        )
    )


async def bury(transaction: Transaction, line_id: UUID) -> None:
    """Remember that a line without a delivery was cancelled."""
    await transaction.execute(
        insert(cancelled_lines).values(line_id=line_id).on_conflict_do_nothing()
    )


async def is_buried(transaction: Transaction, line_id: UUID) -> bool:
    """Whether the line was cancelled before its keys came."""
    query = sa.select(cancelled_lines).where(cancelled_lines.c.line_id == line_id)
    return (await transaction.execute(query)).one_or_none() is not None


async def _one(transaction: Transaction, query: sa.Select[Any]) -> Delivery | None:
    row = (await transaction.execute(query)).one_or_none()
    return None if row is None else _delivery(row)


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        order_id=row.order_id,
        line_id=row.line_id,
        product_id=row.product_id,
        title=row.title,
        source_type=row.source_type,
        lines_in_order=row.lines_in_order,
        buyer=Sealed.model_validate(row.buyer),
        fingerprints=row.fingerprints,
        sealed_keys=(
            None
            if row.sealed_keys is None
            else [SealedKey.model_validate(key) for key in row.sealed_keys]
        ),
        state=State(row.state),
        version=row.version,
        link_version=row.link_version,
        reveals_used=row.reveals_used,
        was_revealed=row.was_revealed,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
        mailed_at=row.mailed_at,
        envelope=_envelope(row),
    )


def _envelope(row: sa.Row[Any]) -> Envelope | None:
    if row.object_key is None:
        return None
    return Envelope(row.object_key, row.kek_id, row.wrapped_key, row.nonce, row.checksum)


async def one_wrapped_key_each(transaction: Transaction) -> Sequence[Any]:
    """For each key-encryption key in use, one delivery: its ids, `kek_id` and `wrapped_key`."""
    table = deliveries.c
    wanted = (
        sa.select(table.id, table.order_id, table.line_id, table.kek_id, table.wrapped_key)
        .ext(distinct_on(table.kek_id))
        .where(table.kek_id.is_not(None))
        .order_by(table.kek_id)
    )
    return (await transaction.execute(wanted)).all()
