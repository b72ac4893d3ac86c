"""The buyer says where to send what is owed back, and may change it until it is sent."""

from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database

from orders.adapters import order_repository, refund_repository
from orders.domain.refund import Destination
from orders.domain.refund_address import checked_address
from orders.errors import ActionRefused


class GiveRefundAddress:
    """Takes one address for everything of an order that has not been sent yet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, order_id: UUID, coin: str, address: str) -> None:
        """Keep it; the same address again changes nothing.

        Raises:
            WrongAddress: it does not look like an address of that coin.
            UnknownOrder: there is no such order.
            ActionRefused: nothing is owed (any more).
        """
        destination = Destination(coin, checked_address(coin, address))
        async with self._database.transaction() as transaction:
            await order_repository.get(transaction, order_id)
            refunds = await refund_repository.of_order(transaction, order_id)
            if not refunds:
                raise ActionRefused("nothing of this order is owed back")
            if all(refund.is_sent for refund in refunds):
                raise ActionRefused("the money was sent already: its address cannot be changed")
            now = self._clock.now()
            changed = [refund for refund in refunds if refund.give_address(destination, now)]
            await refund_repository.save(transaction, *changed)
            if changed:
                await refund_repository.tell_buyer(transaction, order_id, now)
