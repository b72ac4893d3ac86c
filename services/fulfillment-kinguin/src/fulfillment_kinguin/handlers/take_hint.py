"""A webhook of Kinguin is a hint: look now. What it says is never believed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import schedule
from servicekit.standing_jobs import SUBJECT

from fulfillment_kinguin.adapters import offer_repository, purchase_repository
from fulfillment_kinguin.domain.purchase import (
    POLL,
    POLLED,
    REFRESH_OFFERS,
    SEARCH,
    PurchaseState,
)

PAUSE: Final = timedelta(seconds=10)
"""Hints do not make us look at an offer more often: purchases share the limit of requests."""


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


class TakeOfferHint:
    """Brings the next look at an offer forward; most hints are of products nobody follows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, ids: Sequence[str]) -> None:
        """Look now, if a product of one of these ids is followed and was not just looked at."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            if await offer_repository.rests(transaction, ids, now, PAUSE):
                await schedule(transaction, REFRESH_OFFERS, SUBJECT, now)
                await offer_repository.bring_forward(transaction, ids, now, PAUSE)
