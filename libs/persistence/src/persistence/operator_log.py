"""What operators do from outside is written down in the transaction that does it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from foundation.clock import new_id

from persistence.database import Transaction
from persistence.tables import operator_log


async def log_operation(
    transaction: Transaction,
    *,
    actor: str,
    action: str,
    subject: object,
    reason: str | None,
    facts: Mapping[str, Any],
) -> None:
    """Add a row; `facts` are plain JSON without secrets."""
    await transaction.execute(
        sa.insert(operator_log).values(
            id=new_id(),
            actor=actor,
            action=action,
            subject=str(subject),
            reason=reason,
            facts=dict(facts),
        )
    )
