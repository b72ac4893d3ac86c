"""Cases of bad keys in PostgreSQL. An order's are changed under the lock of its row."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from orders.adapters.tables import bad_key_cases
from orders.domain.bad_key import BadKeyCase, CaseState
from orders.errors import UnknownCase


async def add(transaction: Transaction, case: BadKeyCase) -> None:
    """Store a new case of a locked order."""
    await transaction.execute(sa.insert(bad_key_cases).values(_values(case)))


async def save(transaction: Transaction, case: BadKeyCase) -> None:
    """Store a changed case."""
    await transaction.execute(
        sa.update(bad_key_cases).where(bad_key_cases.c.id == case.id).values(_values(case))
    )


async def of_order(transaction: Transaction, order_id: UUID) -> Sequence[BadKeyCase]:
    """All cases of an order, oldest first."""
    query = sa.select(bad_key_cases).where(bad_key_cases.c.order_id == order_id)
    return [_case(row) for row in await transaction.execute(query.order_by(bad_key_cases.c.id))]


async def order_of(transaction: Transaction, case_id: UUID) -> UUID:
    """The order a case belongs to.

    Raises:
        UnknownCase: there is none with this id.
    """
    found: UUID | None = await transaction.scalar(
        sa.select(bad_key_cases.c.order_id).where(bad_key_cases.c.id == case_id)
    )
    if found is None:
        raise UnknownCase(case_id)
    return found


async def page(
    transaction: Transaction, limit: int, after: tuple[datetime, UUID] | None, state: CaseState
) -> Sequence[BadKeyCase]:
    """Open cases, the most urgent first; of others the one that was due last."""
    key = sa.tuple_(bad_key_cases.c.due_at, bad_key_cases.c.id)
    is_open = state is CaseState.OPEN
    order = [column.asc() if is_open else column.desc() for column in key.clauses]
    query = sa.select(bad_key_cases).where(bad_key_cases.c.state == state)
    if after is not None:
        bound = sa.tuple_(*after)
        query = query.where(key > bound if is_open else key < bound)
    rows = await transaction.execute(query.order_by(*order).limit(limit))
    return [_case(row) for row in rows]


def _values(case: BadKeyCase) -> dict[str, Any]:
    fields = asdict(case)
    return {"item_id": fields.pop("line_id"), **fields}


def _case(row: sa.Row[Any]) -> BadKeyCase:
    return BadKeyCase(
        id=row.id,
        order_id=row.order_id,
        line_id=row.item_id,
        reason=row.reason,
        opened_at=row.opened_at,
        return_until=row.return_until,
        due_at=row.due_at,
        state=CaseState(row.state),
        actor=row.actor,
        resolution=row.resolution,
        supplier_reference=row.supplier_reference,
        resolved_at=row.resolved_at,
    )
