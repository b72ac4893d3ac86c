"""A paid line asks for keys: plan its purchase, or repeat what became of it."""

from contracts import FulfillmentRequestedKinguin
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import key_repository, line_repository
from fulfillment_kinguin.adapters.publish_key_ready import publish_key_ready
from fulfillment_kinguin.domain.line import Line, LineState
from fulfillment_kinguin.handlers.plan_purchase import PlanPurchase
from fulfillment_kinguin.handlers.tell_line import answer_line


class FulfillLine:
    """Answers each request; a line that is known gets its present state again."""

    def __init__(self, plan: PlanPurchase, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock

    async def __call__(
        self, transaction: Transaction, message: FulfillmentRequestedKinguin
    ) -> None:
        """Plan the purchase, or say why not."""
        known = await line_repository.claim(transaction, message.line_id)
        if known is not None:
            await self._repeat_answer(transaction, known)
            return
        line = _line(message)
        if await line_repository.is_buried(transaction, line.id):
            await answer_line(transaction, line, LineState.RELEASED, "cancelled", self._clock.now())
            return
        now = self._clock.now()
        await line_repository.add(transaction, line, now)
        await self._plan(transaction, line, 1, now)

    async def _repeat_answer(self, transaction: Transaction, line: Line) -> None:
        now = self._clock.now()
        if line.state is LineState.READY:
            keys = await key_repository.of_line(transaction, line.id)
            await publish_key_ready(transaction, line, keys, now)
        elif line.state is not LineState.BUYING:  # it is being bought: there is nothing to say
            await answer_line(transaction, line, line.state, line.reason, now)


def _line(message: FulfillmentRequestedKinguin) -> Line:
    return Line(
        id=message.line_id,
        order_id=message.order_id,
        product_id=message.product_id,
        title=message.title,
        quantity=message.quantity,
        kinguin_product_id=message.kinguin_product_id,
        kinguin_offer_id=message.kinguin_offer_id,
        highest_unit_price=message.highest_unit_price,
        lines_in_order=message.lines_in_order,
        buyer=message.buyer,
    )
