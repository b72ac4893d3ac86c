"""Lines in PostgreSQL, in the order in which they asked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import Sealed
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_custom.adapters.tables import cancelled_lines, lines
from fulfillment_custom.domain.line import STEPS, Line, LineState


async def serialise(transaction: Transaction, line_id: UUID) -> None:
    """Let nobody else take or cancel this line until the transaction ends.

    There may be no row to lock yet, and both messages can come at the same moment.
    """
    key = int.from_bytes(line_id.bytes[8:], signed=True)  # the random half of a UUIDv7
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def find(transaction: Transaction, line_id: UUID) -> Line | None:
    """The line with its row locked, or None."""
    query = sa.select(lines).where(lines.c.id == line_id).with_for_update()
    row = (await transaction.execute(query)).one_or_none()
    return None if row is None else _line(row)


async def add(transaction: Transaction, line: Line) -> None:
    """Store a new line behind all that asked before."""
    await transaction.execute(
        sa.insert(lines).values(
            id=line.id,
            order_id=line.order_id,
            product_id=line.product_id,
            title=line.title,
            quantity=line.quantity,
            lines_in_order=line.lines_in_order,
            buyer=line.buyer.model_dump(mode="json"),
            backorder=line.backorder,
            state=line.state,
        )
    )


async def move(transaction: Transaction, line: Line, to: LineState) -> None:
    """Take a step that the table allows.

    Raises:
        ValueError: the step is not in `STEPS`.
    """
    if to not in STEPS[line.state]:
        raise ValueError(f"a line does not go from {line.state.value} to {to.value}")
    await transaction.execute(sa.update(lines).where(lines.c.id == line.id).values(state=to))


async def waiting(transaction: Transaction, product_id: UUID) -> Sequence[Line]:
    """Lines without keys with their rows locked, the first that asked first."""
    rows = await transaction.execute(
        sa.select(lines)
        .where(lines.c.product_id == product_id, lines.c.state == LineState.WAITING)
        .order_by(lines.c.seq)
        .with_for_update()
    )
    return [_line(row) for row in rows]


async def has_waiting(transaction: Transaction, product_id: UUID) -> bool:
    """Whether a paid line waits for keys of a locked product: what is free is promised to it."""
    query = sa.select(lines.c.id).where(
        lines.c.product_id == product_id, lines.c.state == LineState.WAITING
    )
    return (await transaction.execute(query.limit(1))).one_or_none() is not None


async def products_waited_for(transaction: Transaction, line_ids: Sequence[UUID]) -> set[UUID]:
    """The products of those of these lines that wait for keys."""
    query = sa.select(lines.c.product_id).where(
        lines.c.id.in_(line_ids), lines.c.state == LineState.WAITING
    )
    return set(await transaction.scalars(query.distinct()))


async def known(transaction: Transaction, line_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these lines have asked for keys, or were cancelled before they did."""
    asked = sa.select(lines.c.id).where(lines.c.id.in_(line_ids))
    buried = sa.select(cancelled_lines.c.line_id).where(cancelled_lines.c.line_id.in_(line_ids))
    return set(await transaction.scalars(asked.union(buried)))


async def bury(transaction: Transaction, line_id: UUID) -> None:
    """Remember that a line nobody has asked for yet was cancelled."""
    await transaction.execute(
        insert(cancelled_lines).values(line_id=line_id).on_conflict_do_nothing()
    )


async def is_buried(transaction: Transaction, line_id: UUID) -> bool:
    """Whether the line was cancelled before it asked."""
    query = sa.select(cancelled_lines).where(cancelled_lines.c.line_id == line_id)
    return (await transaction.execute(query)).one_or_none() is not None


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        id=row.id,
        order_id=row.order_id,
        product_id=row.product_id,
        title=row.title,
        quantity=row.quantity,
        lines_in_order=row.lines_in_order,
        buyer=Sealed.model_validate(row.buyer),
        backorder=row.backorder,
        state=LineState(row.state),
    )
