"""The catalogue uses an offer, another one, or none any more."""

from contracts import ProductUpdated
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import schedule
from servicekit.standing_jobs import SUBJECT

from fulfillment_kinguin.adapters import offer_repository
from fulfillment_kinguin.domain.purchase import REFRESH_OFFERS


class FollowProduct:
    """Keeps which offers are followed, and has a new one looked at now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: ProductUpdated) -> None:
        """Follow it, or not any more; an older version changes nothing."""
        now = self._clock.now()
        if message.on_sale:
            # First the job, then the offer: in this order the job itself locks them.
            await schedule(transaction, REFRESH_OFFERS, SUBJECT, now)
        await offer_repository.follow(transaction, message, now)
