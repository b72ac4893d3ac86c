"""The switch changed: what is only planned goes back to orders when it is off.

`placing` and later is followed to its end: Kinguin may have the order.
"""

from contracts import RolloutChanged
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import line_repository, purchase_repository
from fulfillment_kinguin.adapters.switch import Switch
from fulfillment_kinguin.handlers.plan_purchase import hand_back


class ApplyRollout:
    """Keeps the newest word of orders and acts on an off."""

    def __init__(self, switch: Switch, clock: Clock) -> None:
        self._switch = switch
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: RolloutChanged) -> None:
        """Store it, and hand planned purchases back if nothing may be bought any more."""
        await self._switch.store(transaction, message)
        if await self._switch.is_on(transaction):
            return
        for line_id in await purchase_repository.planned_line_ids(transaction):
            await line_repository.claim(transaction, line_id)
            purchase = await purchase_repository.latest(transaction, line_id)
            if purchase is not None:
                await hand_back(transaction, purchase, self._clock.now())
