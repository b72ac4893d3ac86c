"""Publish `rollout.changed`."""

from datetime import datetime

from contracts import RolloutChanged
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.routing import Rollout


async def publish_rollout_changed(
    transaction: Transaction, rollout: Rollout, now: datetime
) -> None:
    """Tell fulfillment-kinguin how far it may go from now on."""
    await emit(
        transaction,
        RolloutChanged(
            id=new_id(),
            occurred_at=now,
            kinguin_enabled=rollout.kinguin_enabled,
            rollout_percent=rollout.percent,
            version=rollout.version,
        ),
    )
