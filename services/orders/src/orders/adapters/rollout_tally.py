"""How Kinguin's lines did since the last step of the rollout."""

from datetime import datetime

import sqlalchemy as sa
from contracts import SourceType
from persistence.database import Transaction

from orders.adapters.tables import order_items
from orders.domain.rollout_guard import IN_TIME, Tally
from orders.domain.states import LineStatus

_GIVEN_UP = (LineStatus.FAILED, LineStatus.REFUND_DUE, LineStatus.REFUNDED)


async def tally(transaction: Transaction, since: datetime, now: datetime) -> Tally:
    """Count lines asked for after `since`: late ones had their time, or will get no key.

    A line that its buyer or an admin cancelled before a key came says nothing, and one that
    Kinguin handed back is not its line any more.
    """
    line = order_items.c
    in_time = line.ready_at <= line.requested_at + IN_TIME
    had_its_time = sa.or_(line.requested_at <= now - IN_TIME, line.status.in_(_GIVEN_UP))
    was_cancelled = sa.and_(line.cancellation.is_not(None), line.ready_at.is_(None))
    is_late = sa.and_(~sa.func.coalesce(in_time, sa.false()), had_its_time, ~was_cancelled)
    query = sa.select(
        sa.func.count().filter(in_time).label("in_time"),
        sa.func.count().filter(is_late).label("late"),
    ).where(line.product_source_type == SourceType.KINGUIN, line.requested_at > since)
    row = (await transaction.execute(query)).one()
    return Tally(row.in_time, row.late)
