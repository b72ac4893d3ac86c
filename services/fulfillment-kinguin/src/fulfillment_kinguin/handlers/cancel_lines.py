"""An order was cancelled: let go of lines, and say what is too late.

A purchase that Kinguin may already have is followed to its end; its keys then go to own
stock, since the money is spent.
"""

from uuid import UUID

from contracts import FulfillmentState, OrderCancelled
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import line_repository, purchase_repository
from fulfillment_kinguin.adapters.publish_fulfillment_updated import publish_fulfillment_updated
from fulfillment_kinguin.domain.line import Line, LineState
from fulfillment_kinguin.domain.purchase import PurchaseState

_CANCELLED = "cancelled"


class CancelLines:
    """Answers for each line that is ours; a line not known yet leaves a tombstone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Release or refuse, under each line's lock; nothing is held for an unpaid line."""
        if not message.final:
            return
        for line_id in sorted(message.line_ids):
            await self._cancel(transaction, message.order_id, line_id)

    async def _cancel(self, transaction: Transaction, order_id: UUID, line_id: UUID) -> None:
        line = await line_repository.claim(transaction, line_id)
        if line is None:
            await line_repository.bury(transaction, line_id)
            return
        if line.state is LineState.HANDED_BACK:
            return  # the line is on another path now, and that answers
        if line.is_wanted:
            await self._release(transaction, line)
        answer = (
            (FulfillmentState.TOO_LATE, "the keys are on their way")
            if line.state is LineState.READY
            else (FulfillmentState.RELEASED, _CANCELLED)
        )
        await publish_fulfillment_updated(transaction, order_id, line_id, answer, self._clock.now())

    async def _release(self, transaction: Transaction, line: Line) -> None:
        await line_repository.move(transaction, line, LineState.RELEASED, _CANCELLED)
        purchase = await purchase_repository.latest(transaction, line.id)
        if purchase is not None and purchase.state is PurchaseState.PLANNED:
            await purchase_repository.move(
                transaction,
                purchase,
                PurchaseState.ABANDONED,
                self._clock.now(),
                _CANCELLED,
                next_attempt_at=None,
            )
