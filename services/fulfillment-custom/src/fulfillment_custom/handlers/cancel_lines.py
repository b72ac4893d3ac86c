"""An order was cancelled: let go of what has no keys yet, and say what is too late."""

from uuid import UUID

from contracts import FulfillmentState, OrderCancelled
from foundation.clock import Clock
from servicekit.database import Transaction

from fulfillment_custom.adapters import line_repository
from fulfillment_custom.adapters.publish_fulfillment_updated import publish_fulfillment_updated
from fulfillment_custom.domain.line import ANSWERS, LineState


class CancelLines:
    """Answers for each line that is ours; a line not known yet leaves a tombstone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Release or refuse, under each line's lock."""
        for line_id in message.line_ids:
            await self._cancel(transaction, message.order_id, line_id)

    async def _cancel(self, transaction: Transaction, order_id: UUID, line_id: UUID) -> None:
        await line_repository.serialise(transaction, line_id)
        line = await line_repository.find(transaction, line_id)
        if line is None:
            await line_repository.bury(transaction, line_id)
            return
        if line.state is LineState.WAITING:
            await line_repository.move(transaction, line, LineState.RELEASED)
        answer = (
            (FulfillmentState.TOO_LATE, "the keys are on their way")
            if line.state is LineState.ASSIGNED
            else ANSWERS[LineState.RELEASED]
        )
        await publish_fulfillment_updated(transaction, order_id, line_id, answer, self._clock.now())
