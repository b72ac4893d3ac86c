"""Lines were cancelled: their links are dead, and orders hears whether one was used."""

from contracts import OrderCancelled
from foundation.clock import Clock
from servicekit.database import Transaction

from delivery.adapters import delivery_repository
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import State


class VoidDeliveries:
    """Answers for each line that has a delivery; others leave a tombstone."""

    def __init__(self, clock: Clock, reveals: int) -> None:
        self._clock = clock
        self._reveals = reveals

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Void them under their locks; an order that only expired has none."""
        if not message.final:
            return
        for line_id in message.line_ids:
            await delivery_repository.serialise(transaction, line_id)
            delivery = await delivery_repository.of_line(transaction, line_id)
            if delivery is None:
                await delivery_repository.bury(transaction, line_id)
                continue
            delivery.move(State.VOIDED)
            await publish_delivery_updated(
                transaction,
                delivery,
                self._clock.now(),
                reveals=self._reveals,
                reason="revealed" if delivery.was_revealed else "not revealed",
            )
