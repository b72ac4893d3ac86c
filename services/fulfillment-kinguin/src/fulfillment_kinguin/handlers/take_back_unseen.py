"""Delivery has voided a link that nobody ever opened: its keys go back, or to own stock.

That is its answer to a cancellation after the keys were sent. The buyer has the money back,
and nobody has seen the keys; keys that were shown stay with their buyer.
"""

from contracts import DeliveryState, DeliveryUpdated
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import key_repository, line_repository, purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import PurchaseState
from fulfillment_kinguin.handlers.deliver_keys import DeliverKeys

_REASON = "cancelled before the key was shown"


class TakeBackUnseen:
    """Hears what delivery tells orders, and acts on one answer for lines of ours."""

    def __init__(self, deliver: DeliverKeys, clock: Clock) -> None:
        self._deliver = deliver
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: DeliveryUpdated) -> None:
        """Release the line, and let its keys go; told twice, it is done once."""
        is_unseen = message.state is DeliveryState.VOIDED and message.revealed is False
        if not is_unseen or message.line_id is None:
            return
        line = await line_repository.claim(transaction, message.line_id)
        if line is None or line.state is not LineState.READY:
            return
        await line_repository.move(transaction, line, LineState.RELEASED, _REASON)
        purchase = await purchase_repository.latest(transaction, line.id)
        if purchase is None or purchase.state is not PurchaseState.KEYS_READY:
            return
        keys = await key_repository.of_purchase(transaction, purchase.id)
        await self._deliver.back(transaction, purchase, keys, _REASON, self._clock.now())
