"""Reservations in PostgreSQL: one row an order; the keys themselves say for which line."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_custom.adapters.tables import reservations
from fulfillment_custom.domain.reservation import ReservationState


async def serialise(transaction: Transaction, order_id: UUID) -> None:
    """Let nobody else reserve for this order or cancel it; taken before any product's lock.

    There may be no row to lock yet, and both messages can come at the same moment.
    """
    key = int.from_bytes(order_id.bytes[8:], signed=True)  # the random half of a UUIDv7
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def find(transaction: Transaction, order_id: UUID) -> ReservationState | None:
    """What was decided for a serialised order, if anything was."""
    state = await transaction.scalar(
        sa.select(reservations.c.state).where(reservations.c.order_id == order_id)
    )
    return None if state is None else ReservationState(state)


async def put(
    transaction: Transaction, order_id: UUID, state: ReservationState, now: datetime
) -> None:
    """Remember what was decided; of an order that has not come yet as well."""
    values = {"state": state, "changed_at": now}
    await transaction.execute(
        insert(reservations)
        .values(order_id=order_id, **values)
        .on_conflict_do_update(index_elements=["order_id"], set_=values)
    )
