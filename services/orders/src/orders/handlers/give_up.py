"""A message that was given up: its order needs a person."""

from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction

from orders.adapters import order_repository
from orders.errors import UnknownOrder


class FlagOrder:
    """Flags the order of a dead letter; without a known order the letter itself remains."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, order_id: UUID | None, reason: str) -> None:
        """Flag it, if it is one of ours."""
        if order_id is None:
            return
        try:
            order = await order_repository.get(transaction, order_id)
        except UnknownOrder:
            return  # the dead letter keeps the message, and an alert stands on its count
        order.flag(f"dead letter: {reason}", self._clock.now())
        await order_repository.save(transaction, order)
