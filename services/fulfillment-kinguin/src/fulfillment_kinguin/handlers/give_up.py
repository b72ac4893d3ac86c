"""A message that was given up: orders must show it to a person."""

from uuid import UUID

from contracts import FulfillmentState
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters.publish_fulfillment_updated import publish_fulfillment_updated


async def leave_letter(_transaction: Transaction, _key: UUID | None, _reason: str) -> None:
    """Tell nobody: the message was of no order. The letter remains, and an alert stands on it."""


class ReportDeadLetter:
    """Says so about the order; without a known order the letter itself remains."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, order_id: UUID | None, reason: str) -> None:
        """Tell orders."""
        if order_id is None:
            return
        answer = (FulfillmentState.NEEDS_ATTENTION, f"dead letter: {reason}")
        await publish_fulfillment_updated(transaction, order_id, None, answer, self._clock.now())
