"""Tell fulfillment-kinguin of a product outside of a change: the catalogue from before the topic.

A migration makes the rows. No message could be written there: the release before this one may
still be the one that sends, and may not write to the topic yet.
"""

from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from orders.adapters import catalogue_repository
from orders.adapters.publish_product_updated import publish_product_updated

TELL_PRODUCT: Final = "tell_product"


class TellProduct:
    """The job `tell_product`; its subject is a product."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Everything happens in the settlement: nobody outside is asked."""

        async def settle(transaction: Transaction) -> None:
            product = await catalogue_repository.find(transaction, UUID(job.subject))
            if product is not None:
                await publish_product_updated(transaction, [product], self._clock.now())

        return settle
