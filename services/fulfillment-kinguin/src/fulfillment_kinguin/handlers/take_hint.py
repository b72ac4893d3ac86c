"""A webhook of Kinguin is a hint: look now. What it says is never believed."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import schedule

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.purchase import POLL, POLLED, SEARCH, PurchaseState


class TakeHint:
    """Brings the next look at a purchase forward."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, reservation_id: str, external_id: str | None) -> None:
        """Look now, if the order is one of ours and still open."""
        async with self._database.transaction() as transaction:
            found = await purchase_repository.find_by_hint(transaction, reservation_id, external_id)
            if found is None:
                return
            purchase = await purchase_repository.read(transaction, found)
            if purchase.state in POLLED and purchase.reservation_id is not None:
                await schedule(transaction, POLL, purchase.id, self._clock.now())
            elif purchase.state is PurchaseState.UNKNOWN:
                await schedule(transaction, SEARCH, purchase.id, self._clock.now())
