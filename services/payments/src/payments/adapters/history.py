"""The history of orders and payments: one row a change, never altered."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction

from payments.adapters.tables import history


@dataclass(frozen=True, slots=True)
class Change:
    """What changed, when, and who said so; without a payment it is the invoice itself."""

    order_id: UUID
    at: datetime
    status: str
    source: str
    reason: str | None = None
    payment_id: str | None = None
    actually_paid: Decimal | None = None


async def remember(transaction: Transaction, change: Change) -> None:
    """Add a row."""
    await transaction.execute(
        sa.insert(history).values(
            id=new_id(),
            order_id=change.order_id,
            payment_id=change.payment_id,
            at=change.at,
            status=change.status,
            actually_paid=change.actually_paid,
            source=change.source,
            reason=change.reason,
        )
    )
