"""Publish `fulfillment.updated`."""

from datetime import datetime
from uuid import UUID

from contracts import FulfillmentState, FulfillmentUpdated, SourceType
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit


async def publish_fulfillment_updated(
    transaction: Transaction,
    order_id: UUID,
    line_id: UUID | None,
    answer: tuple[FulfillmentState, str],
    now: datetime,
) -> None:
    """Tell orders what became of a line, and why."""
    state, reason = answer
    await emit(
        transaction,
        FulfillmentUpdated(
            id=new_id(),
            occurred_at=now,
            order_id=order_id,
            line_id=line_id,
            source_type=SourceType.CUSTOM,
            state=state,
            reason=reason,
        ),
    )
