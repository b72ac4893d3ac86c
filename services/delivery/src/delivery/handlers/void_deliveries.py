"""Lines were cancelled: a link that nobody used is dead for good, a key that was shown stays.

Who saw the key keeps it and its link, and orders hears so: nobody gets the money as well.
A reveal locks the same row, so that one of the two comes first.
"""

from uuid import UUID

from contracts import DeliveryState, OrderCancelled
from foundation.clock import Clock
from persistence.database import Transaction

from delivery.adapters import delivery_repository
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import Delivery, State


class VoidDeliveries:
    """Answers for each line that has a delivery; others leave a tombstone."""

    def __init__(self, clock: Clock, reveals: int) -> None:
        self._clock = clock
        self._reveals = reveals

    async def __call__(self, transaction: Transaction, message: OrderCancelled) -> None:
        """Void them under their locks; an order that only expired has none."""
        if not message.final:
            return
        for line_id in sorted(message.line_ids):
            await self._cancel(transaction, line_id)

    async def _cancel(self, transaction: Transaction, line_id: UUID) -> None:
        await delivery_repository.serialise(transaction, line_id)
        delivery = await delivery_repository.of_line(transaction, line_id)
        if delivery is None:
            await delivery_repository.bury(transaction, line_id)
        elif delivery.was_revealed:
            await self._answer(transaction, delivery, DeliveryState.REVEALED)
        else:
            delivery.move(State.VOIDED)
            await self._answer(transaction, delivery, DeliveryState.VOIDED)

    async def _answer(
        self, transaction: Transaction, delivery: Delivery, state: DeliveryState
    ) -> None:
        await publish_delivery_updated(
            transaction,
            delivery,
            self._clock.now(),
            reveals=self._reveals,
            state=state,
            reason="revealed" if delivery.was_revealed else "not revealed",
            revealed=delivery.was_revealed,
        )
