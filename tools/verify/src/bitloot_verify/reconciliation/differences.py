"""Differences as rows of payments: noted once, settled by a person with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from payments.adapters.tables import differences
from persistence.database import Transaction
from persistence.operator_log import log_operation
from sqlalchemy.dialects.postgresql import insert

from bitloot_verify.reconciliation.compare import Difference


@dataclass(frozen=True, slots=True)
class Noted:
    """How many were not known before, and how many wait for a person."""

    new: int
    unsettled: int


async def note(transaction: Transaction, found: Sequence[Difference], now: datetime) -> Noted:
    """Write what was found; what is known already is only seen again."""
    new = unsettled = 0
    for difference in found:
        row = insert(differences).values(
            id=new_id(),
            kind=difference.kind.value,
            subject=difference.subject,
            says=difference.says,
            amount=difference.amount,
            currency=difference.currency,
            first_seen_at=now,
            last_seen_at=now,
        )
        kept = (
            await transaction.execute(
                row.on_conflict_do_update(
                    constraint="differences_once", set_={"last_seen_at": now}
                ).returning(differences.c.first_seen_at, differences.c.settled_at)
            )
        ).one()
        new += kept.first_seen_at == now
        unsettled += kept.settled_at is None
    return Noted(new, unsettled)


async def unsettled(transaction: Transaction) -> Sequence[sa.Row[Any]]:
    """Rows that wait for a person, oldest first."""
    query = sa.select(differences).where(differences.c.settled_at.is_(None))
    return (await transaction.execute(query.order_by(differences.c.first_seen_at))).all()


async def settle(
    transaction: Transaction, row_id: UUID, *, actor: str, how: str, now: datetime
) -> bool:
    """Close a row, on record; False when it is gone or settled already."""
    settled = await transaction.scalar(
        sa.update(differences)
        .where(differences.c.id == row_id, differences.c.settled_at.is_(None))
        .values(settled_at=now, settled_by=actor, settled_how=how)
        .returning(differences.c.subject)
    )
    if settled is None:
        return False
    await log_operation(
        transaction,
        actor=actor,
        action="difference.settled",
        subject=row_id,
        reason=how,
        facts={"subject": settled},
    )
    return True
