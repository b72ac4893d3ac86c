"""Publish `delivery.updated`."""

from datetime import datetime
from uuid import UUID

from contracts import DeliveryState, DeliveryUpdated
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from delivery.adapters import delivery_repository
from delivery.domain.delivery import NEWS, Delivery


async def publish_delivery_updated(
    transaction: Transaction,
    delivery: Delivery,
    now: datetime,
    *,
    reveals: int,
    state: DeliveryState | None = None,
    reason: str | None = None,
    revealed: bool | None = None,
) -> None:
    """Save a locked delivery and tell orders; `state` is its own unless another is given."""
    delivery.version += 1
    await delivery_repository.save(transaction, delivery)
    await emit(
        transaction,
        DeliveryUpdated(
            id=new_id(),
            occurred_at=now,
            order_id=delivery.order_id,
            line_id=delivery.line_id,
            delivery_id=delivery.id,
            state=state or NEWS[delivery.state],
            version=delivery.version,
            ready_at=delivery.ready_at,
            reveals_left=max(0, reveals - delivery.reveals_used),
            expires_at=delivery.expires_at,
            reason=reason,
            revealed=revealed,
        ),
    )


async def publish_order_needs_attention(
    transaction: Transaction, order_id: UUID, reason: str, now: datetime
) -> None:
    """Tell orders that a person must look, where no delivery is known."""
    await emit(
        transaction,
        DeliveryUpdated(
            id=new_id(),
            occurred_at=now,
            order_id=order_id,
            line_id=None,
            delivery_id=None,
            state=DeliveryState.NEEDS_ATTENTION,
            reason=reason,
        ),
    )
