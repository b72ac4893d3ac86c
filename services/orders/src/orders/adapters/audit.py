"""The audit log: who changed what, and why; rows are only ever added."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_jsonable_python
from servicekit.clock import new_id
from servicekit.database import Transaction

from orders.adapters.tables import audit_log


async def record(
    transaction: Transaction,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: object,
    reason: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one row in the transaction of the change."""
    await transaction.execute(
        sa.insert(audit_log).values(
            id=new_id(),
            at=at,
            actor=actor,
            action=action,
            subject=str(subject),
            reason=reason,
            before=to_jsonable_python(before),
            after=to_jsonable_python(after),
        )
    )
