"""A message that was given up: orders must show it to a person."""

from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction

from delivery.adapters.publish_delivery_updated import publish_order_needs_attention


class ReportDeadLetter:
    """Says so about the order; without a known order the letter itself remains."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, order_id: UUID | None, reason: str) -> None:
        """Tell orders."""
        if order_id is not None:
            now = self._clock.now()
            why = f"dead letter: {reason}"
            await publish_order_needs_attention(transaction, order_id, why, now)
