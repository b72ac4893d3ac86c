"""A paid line asks for keys: give them, let it wait, or say that none will come."""

from contracts import FulfillmentRequestedCustom
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_custom.adapters import line_repository, stock_repository
from fulfillment_custom.adapters.publish_fulfillment_updated import publish_fulfillment_updated
from fulfillment_custom.adapters.publish_key_ready import publish_key_ready
from fulfillment_custom.domain.line import ANSWERS, Line, LineState
from fulfillment_custom.handlers.serve_lines import serve_reserved_line, serve_waiting_lines


class FulfillLine:
    """Answers each request; a line that is known gets its present state again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: FulfillmentRequestedCustom) -> None:
        """Serve the line, or say why not."""
        # The product before the line: everybody locks in this order.
        await stock_repository.lock_product(transaction, message.product_id)
        await line_repository.serialise(transaction, message.line_id)
        known = await line_repository.find(transaction, message.line_id)
        if known is not None:
            await self._repeat_answer(transaction, known)
        elif await line_repository.is_buried(transaction, message.line_id):
            await self._answer(transaction, _line(message), LineState.RELEASED)
        else:
            await self._take(transaction, _line(message))

    async def _take(self, transaction: Transaction, line: Line) -> None:
        now = self._clock.now()
        await line_repository.add(transaction, line)
        if await serve_reserved_line(transaction, line, now):
            return
        served = await serve_waiting_lines(transaction, line.product_id, now)
        if line.id in served:
            return
        if not line.backorder:
            await line_repository.move(transaction, line, LineState.FAILED)
        await self._answer(
            transaction, line, LineState.WAITING if line.backorder else LineState.FAILED
        )

    async def _repeat_answer(self, transaction: Transaction, line: Line) -> None:
        if line.state is LineState.ASSIGNED:
            keys = await stock_repository.keys_of(transaction, line.id)
            await publish_key_ready(transaction, line, keys, self._clock.now())
        else:
            await self._answer(transaction, line, line.state)

    async def _answer(self, transaction: Transaction, line: Line, state: LineState) -> None:
        await publish_fulfillment_updated(
            transaction, line.order_id, line.id, ANSWERS[state], self._clock.now()
        )


def _line(message: FulfillmentRequestedCustom) -> Line:
    return Line(
        id=message.line_id,
        order_id=message.order_id,
        product_id=message.product_id,
        title=message.title,
        quantity=message.quantity,
        lines_in_order=message.lines_in_order,
        buyer=message.buyer,
        backorder=message.backorder,
    )
