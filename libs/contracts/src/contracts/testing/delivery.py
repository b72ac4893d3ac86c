"""Builders of what delivery sends."""

from datetime import datetime, timedelta
from typing import Unpack
from uuid import UUID

from contracts.delivery_updated import DeliveryState, DeliveryUpdated
from contracts.testing.values import OCCURRED_AT, OrderEnvelope, a_uuid, order_envelope


def a_delivery_updated(
    *,
    line_id: UUID | None = None,
    delivery_id: UUID | None = None,
    state: DeliveryState = DeliveryState.STORED,
    version: int = 1,
    ready_at: datetime | None = OCCURRED_AT,
    reveals_left: int | None = 5,
    expires_at: datetime | None = OCCURRED_AT + timedelta(hours=72),
    reason: str | None = None,
    revealed: bool | None = None,
    **given: Unpack[OrderEnvelope],
) -> DeliveryUpdated:
    """A delivery whose keys lie in the store, not revealed yet."""
    return DeliveryUpdated(
        line_id=line_id or a_uuid(),
        delivery_id=delivery_id or a_uuid(),
        state=state,
        version=version,
        ready_at=ready_at,
        reveals_left=reveals_left,
        expires_at=expires_at,
        reason=reason,
        revealed=revealed,
        **order_envelope(given),
    )
