"""Purchases with their history.

Everybody locks in one order: the line, then its purchase.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction
from persistence.measures import measure

from fulfillment_kinguin.adapters import line_repository
from fulfillment_kinguin.adapters.metrics import PURCHASE_STEPS, SPEND
from fulfillment_kinguin.adapters.tables import lines, purchase_history, purchases
from fulfillment_kinguin.domain.line import Line
from fulfillment_kinguin.domain.purchase import (
    Purchase,
    PurchaseState,
    check_step,
    external_id,
)
from fulfillment_kinguin.domain.return_keys import Return
from fulfillment_kinguin.domain.waiting import Waiting
from fulfillment_kinguin.errors import UnknownPurchase


async def add(transaction: Transaction, line: Line, attempt: int, now: datetime) -> UUID:
    """Plan a purchase of all keys of a line; its external id stands before anything is bought."""
    purchase_id = new_id()
    await transaction.execute(
        sa.insert(purchases).values(
            id=purchase_id,
            line_id=line.id,
            attempt=attempt,
            external_id=external_id(line.id, attempt),
            state=PurchaseState.PLANNED,
            quantity=line.quantity,
            next_attempt_at=now,
            created_at=now,
            updated_at=now,
        )
    )
    await _record(transaction, purchase_id, None, PurchaseState.PLANNED, now, None)
    return purchase_id


async def read(transaction: Transaction, purchase_id: UUID) -> Purchase:
    """A purchase as it is, without a lock.

    Raises:
        UnknownPurchase: there is none.
    """
    return await _read(transaction, purchase_id)


async def lock(transaction: Transaction, purchase_id: UUID) -> Purchase:
    """A purchase with its line's row and its own locked.

    Raises:
        UnknownPurchase: there is none.
    """
    its_line = sa.select(purchases.c.line_id).where(purchases.c.id == purchase_id)
    await transaction.execute(
        sa.select(lines.c.id).where(lines.c.id == its_line.scalar_subquery()).with_for_update()
    )
    await transaction.execute(
        sa.select(purchases.c.id).where(purchases.c.id == purchase_id).with_for_update()
    )
    return await _read(transaction, purchase_id)


async def latest(transaction: Transaction, line_id: UUID) -> Purchase | None:
    """The last attempt of a line that the caller has locked, locked too."""
    found = await transaction.scalar(
        sa.select(purchases.c.id)
        .where(purchases.c.line_id == line_id)
        .order_by(purchases.c.attempt.desc())
        .limit(1)
        .with_for_update()
    )
    return None if found is None else await _read(transaction, found)


async def planned_line_ids(transaction: Transaction) -> Sequence[UUID]:
    """Lines of which nothing was asked at Kinguin yet."""
    query = sa.select(purchases.c.line_id).where(purchases.c.state == PurchaseState.PLANNED)
    return (await transaction.scalars(query.order_by(purchases.c.line_id))).all()


async def waiting_for(
    transaction: Transaction, waiting: Waiting
) -> Sequence[tuple[UUID, PurchaseState]]:
    """Purchases that wait for the same, the oldest first."""
    query = sa.select(purchases.c.id, purchases.c.state).where(purchases.c.waits_for == waiting)
    rows = await transaction.execute(query.order_by(purchases.c.id))
    return [(row.id, PurchaseState(row.state)) for row in rows]


async def find_by_hint(
    transaction: Transaction, reservation_id: str, external: str | None
) -> UUID | None:
    """The purchase that Kinguin means by its order id or by ours."""
    fits = purchases.c.kinguin_reservation_id == reservation_id
    if external is not None:
        fits = sa.or_(fits, purchases.c.external_id == external)
    found: UUID | None = await transaction.scalar(sa.select(purchases.c.id).where(fits).limit(1))
    return found


async def move(
    transaction: Transaction,
    purchase: Purchase,
    to: PurchaseState,
    now: datetime,
    reason: str | None = None,
    **changes: Any,
) -> None:
    """Take a step that the table allows, and write it into the history.

    Raises:
        ForbiddenStep: the step is not in `STEPS`.
    """
    check_step(purchase.state, to)
    await update(transaction, purchase.id, now, **({"state": to, "waits_for": None} | changes))
    await _record(transaction, purchase.id, purchase.state, to, now, reason)
    measure(transaction, PURCHASE_STEPS, state=to, attempt=str(purchase.attempt))
    if charged := changes.get("price_charged_eur"):
        measure(transaction, SPEND, float(charged), currency="EUR")


async def update(
    transaction: Transaction, purchase_id: UUID, now: datetime, **changes: Any
) -> None:
    """Change facts that are no states."""
    await transaction.execute(
        sa.update(purchases).where(purchases.c.id == purchase_id).values(updated_at=now, **changes)
    )


async def _record(
    transaction: Transaction,
    purchase_id: UUID,
    before: PurchaseState | None,
    after: PurchaseState,
    now: datetime,
    reason: str | None,
) -> None:
    await transaction.execute(
        sa.insert(purchase_history).values(
            purchase_id=purchase_id, at=now, from_state=before, to_state=after, reason=reason
        )
    )


async def _read(transaction: Transaction, purchase_id: UUID) -> Purchase:
    query = sa.select(purchases).where(purchases.c.id == purchase_id)
    row = (await transaction.execute(query)).one_or_none()
    if row is None:
        raise UnknownPurchase(purchase_id)
    line = (await transaction.execute(sa.select(lines).where(lines.c.id == row.line_id))).one()
    return _purchase(row, line_repository.to_line(line))


def _purchase(row: sa.Row[Any], line: Line) -> Purchase:
    return Purchase(
        id=row.id,
        line=line,
        attempt=row.attempt,
        external_id=row.external_id,
        state=PurchaseState(row.state),
        reservation_id=row.kinguin_reservation_id,
        posts=row.posts,
        polls=row.polls,
        empty_searches=row.empty_searches,
        first_empty_search_at=row.first_empty_search_at,
        unknown_since=row.unknown_since,
        placed_at=row.placed_at,
        created_at=row.created_at,
        giving_back=_return(row),
    )


def _return(row: sa.Row[Any]) -> Return | None:
    if row.return_requested_at is None:
        return None
    return Return(
        row.return_requested_at, row.return_posts, row.return_looks, taken=row.return_taken
    )
