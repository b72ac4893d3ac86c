"""Lines, and the tombstones of lines that were cancelled before they asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import Money, Sealed
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_kinguin.adapters.tables import cancelled_lines, lines
from fulfillment_kinguin.domain.line import Line, LineState, check_line_step


async def claim(transaction: Transaction, line_id: UUID) -> Line | None:
    """The line with its row locked, or None if it never asked.

    Whoever claims a line that has no row yet keeps others from it too: a request and a
    cancellation come on different topics, and one of them must see the other.
    """
    key = sa.func.hashtextextended(str(line_id), 0)
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    query = sa.select(lines).where(lines.c.id == line_id).with_for_update()
    row = (await transaction.execute(query)).one_or_none()
    return None if row is None else to_line(row)


async def add(transaction: Transaction, line: Line, now: datetime) -> None:
    """Keep a line that asked for the first time."""
    await transaction.execute(
        sa.insert(lines).values(
            id=line.id,
            order_id=line.order_id,
            product_id=line.product_id,
            title=line.title,
            quantity=line.quantity,
            kinguin_product_id=line.kinguin_product_id,
            kinguin_offer_id=line.kinguin_offer_id,
            highest_unit_price=line.highest_unit_price.amount,
            highest_currency=line.highest_unit_price.currency,
            lines_in_order=line.lines_in_order,
            buyer=line.buyer.model_dump(mode="json"),
            state=line.state,
            reason=line.reason,
            requested_at=now,
        )
    )


async def move(transaction: Transaction, line: Line, to: LineState, reason: str | None) -> None:
    """Take a step that the table allows.

    Raises:
        ForbiddenStep: the step is not in `STEPS`.
    """
    check_line_step(line.state, to)
    await transaction.execute(
        sa.update(lines).where(lines.c.id == line.id).values(state=to, reason=reason)
    )


async def note(transaction: Transaction, line: Line, reason: str | None) -> None:
    """Give another reason for the state that a line is in."""
    await transaction.execute(sa.update(lines).where(lines.c.id == line.id).values(reason=reason))


async def bury(transaction: Transaction, line_id: UUID) -> None:
    """Remember that a line nobody has asked for yet was cancelled."""
    await transaction.execute(
        insert(cancelled_lines).values(line_id=line_id).on_conflict_do_nothing()
    )


async def is_buried(transaction: Transaction, line_id: UUID) -> bool:
    """Whether the line was cancelled before it asked."""
    query = sa.select(cancelled_lines).where(cancelled_lines.c.line_id == line_id)
    return (await transaction.execute(query)).one_or_none() is not None


def to_line(row: sa.Row[Any]) -> Line:
    """A row of `lines` as the domain sees it."""
    return Line(
        id=row.id,
        order_id=row.order_id,
        product_id=row.product_id,
        title=row.title,
        quantity=row.quantity,
        kinguin_product_id=row.kinguin_product_id,
        kinguin_offer_id=row.kinguin_offer_id,
        highest_unit_price=Money(amount=row.highest_unit_price, currency=row.highest_currency),
        lines_in_order=row.lines_in_order,
        buyer=Sealed.model_validate(row.buyer),
        state=LineState(row.state),
        reason=row.reason,
    )
