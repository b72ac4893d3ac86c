"""The audit log: who did what to a purchase, and why; rows are only ever added."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction

from fulfillment_kinguin.adapters.tables import audit_log


class Audited(Protocol):
    """Who asked for what, and why."""

    @property
    def purchase_id(self) -> UUID:
        """What it is about."""
        ...

    @property
    def action(self) -> str:
        """What was done."""
        ...

    @property
    def actor(self) -> str:
        """Who did it."""
        ...

    @property
    def reason(self) -> str:
        """Why, in the actor's words."""
        ...


async def record(
    transaction: Transaction, done: Audited, *, before: str, after: str, at: datetime
) -> None:
    """Write one row in the transaction of the change."""
    await transaction.execute(
        sa.insert(audit_log).values(
            id=new_id(),
            at=at,
            actor=done.actor,
            action=done.action,
            purchase_id=done.purchase_id,
            reason=done.reason,
            before=before,
            after=after,
        )
    )
