"""The audit log: who changed what, and why; rows are only ever added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction
from pydantic_core import to_jsonable_python

from orders.adapters.tables import audit_log


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, and how it was before and after."""

    actor: str
    action: str
    subject: object
    reason: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


async def actor_since(
    transaction: Transaction, action: str, subject: object, since: datetime
) -> str | None:
    """Who did this to this subject after a moment, if anybody."""
    found: str | None = await transaction.scalar(
        sa.select(audit_log.c.actor)
        .where(
            audit_log.c.action == action,
            audit_log.c.subject == str(subject),
            audit_log.c.at > since,
        )
        .limit(1)
    )
    return found


async def record(transaction: Transaction, at: datetime, entry: Entry) -> None:
    """Write one row in the transaction of the change."""
    await transaction.execute(
        sa.insert(audit_log).values(
            id=new_id(),
            at=at,
            actor=entry.actor,
            action=entry.action,
            subject=str(entry.subject),
            reason=entry.reason,
            before=to_jsonable_python(entry.before),
            after=to_jsonable_python(entry.after),
        )
    )
