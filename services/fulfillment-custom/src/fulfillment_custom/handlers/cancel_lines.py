"""Lines are not wanted any more: let go of what has no keys yet, and say what is too late.

When an unpaid order only expired, what is held for it goes back to the shelf and nothing
else happens: late money may still bring it back.
"""

from uuid import UUID

from contracts import FulfillmentState, OrderCancelled
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_custom.adapters import line_repository, reservation_repository, stock_repository
from fulfillment_custom.adapters.publish_fulfillment_updated import publish_fulfillment_updated
from fulfillment_custom.domain.line import ANSWERS, LineState
from fulfillment_custom.domain.reservation import ReservationState
from fulfillment_custom.handlers.serve_lines import serve_waiting_lines


class CancelLines:
    """Answers for each line that is ours; a line not known yet leaves a tombstone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Release or refuse, under each line's lock; then serve who waits for what is free now."""
        now = self._clock.now()
        await reservation_repository.serialise(transaction, message.order_id)
        held = await stock_repository.products_reserved_for(transaction, message.line_ids)
        waited_for = await line_repository.products_waited_for(transaction, message.line_ids)
        # The products before the lines: everybody locks in this order.
        changed = sorted(held | waited_for if message.final else held)
        for product_id in changed:
            await stock_repository.lock_product(transaction, product_id)
        if message.final:
            for line_id in sorted(message.line_ids):
                await self._cancel(transaction, message.order_id, line_id)
        await stock_repository.let_go(transaction, message.line_ids)
        await reservation_repository.put(
            transaction, message.order_id, ReservationState.RELEASED, now
        )
        for product_id in changed:
            await serve_waiting_lines(transaction, product_id, now)

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
