"""The job `refresh_offers`: hear what followed offers cost now, tell orders what changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from foundation.clock import Clock
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle

from fulfillment_kinguin.adapters import offer_repository
from fulfillment_kinguin.adapters.publish_offer_updated import publish_offer_updated
from fulfillment_kinguin.domain.offers import (
    FollowedOffer,
    by_either_id,
    facts_of,
    must_be_told,
    same_id,
)
from fulfillment_kinguin.domain.supply import Product
from fulfillment_kinguin.errors import NotSupported, RateTooOld, Refused, SupplierError
from fulfillment_kinguin.handlers.next_job import again_at, not_before, nothing
from fulfillment_kinguin.ports import MOST_PRODUCTS, ExchangeRates, KeySupplier

AFTER_FAILURE: Final = timedelta(minutes=1)

_log = structlog.get_logger()


class RefreshOffers:
    """Asks for a batch at a time; a failure leaves the rows, and what orders knows grows old."""

    def __init__(
        self,
        supplier: KeySupplier,
        rates: ExchangeRates,
        database: Database,
        clock: Clock,
        *,
        every: timedelta,
    ) -> None:
        self._supplier = supplier
        self._rates = rates
        self._database = database
        self._clock = clock
        self._every = every

    async def __call__(self, _job: Job) -> Settle:
        """Perform the job; where the dialect has no products, it ends."""
        asked_at = self._clock.now()
        async with self._database.transaction() as transaction:
            due = await offer_repository.due(transaction, asked_at, MOST_PRODUCTS)
        if not due:
            return self._come_again
        try:
            offers, products = await self._ask(due)
        except NotSupported:
            _log.info("offers.not_told")
            return nothing
        except SupplierError as error:
            _log.warning("offers.not_heard", error=repr(error))
            return again_at(not_before(asked_at + AFTER_FAILURE, error, asked_at))
        if products is None:
            return self._skip(offers, asked_at)
        return self._settle(offers, products, await self._rate(), asked_at)

    async def _ask(
        self, offers: Sequence[FollowedOffer]
    ) -> tuple[Sequence[FollowedOffer], Sequence[Product] | None]:
        """As many of the first offers as Kinguin answers for; None: it refuses the very first.

        One id that Kinguin cannot read must not hide the prices of all others.
        """
        while True:
            ids = sorted({offer.kinguin_product_id for offer in offers})
            try:
                return offers, await self._supplier.products_by_ids(ids)
            except Refused as error:
                if len(offers) == 1:
                    _log.warning("offer.refused", kinguin_product_id=ids[0], error=repr(error))
                    return offers, None
                offers = offers[: len(offers) // 2]

    async def _rate(self) -> Decimal | None:
        try:
            return (await self._rates.current()).usd_per_eur
        except RateTooOld:
            return None  # a cost by an old rate would refuse, or sell, what it must not

    def _settle(
        self,
        offers: Sequence[FollowedOffer],
        products: Sequence[Product],
        rate: Decimal | None,
        asked_at: datetime,
    ) -> Settle:
        found = by_either_id(products)

        async def settle(transaction: Transaction) -> datetime:
            now = self._clock.now()
            for offer in offers:
                product = found.get(same_id(offer.kinguin_product_id))
                facts = facts_of(product, offer.kinguin_offer_id, rate)
                is_as_read = await offer_repository.seen(
                    transaction, offer, asked_at, asked_at + self._every
                )
                if is_as_read and must_be_told(offer, facts, now):
                    await offer_repository.told(transaction, offer, facts, now)
                    await publish_offer_updated(
                        transaction, offer, facts, seen_at=asked_at, now=now
                    )
            return await self._come_again(transaction)

        return settle

    def _skip(self, offers: Sequence[FollowedOffer], asked_at: datetime) -> Settle:
        async def settle(transaction: Transaction) -> datetime:
            for offer in offers:
                await offer_repository.put_off(transaction, offer, asked_at + self._every)
            return await self._come_again(transaction)

        return settle

    async def _come_again(self, transaction: Transaction) -> datetime:
        """With the next offer that is due: at once while more are."""
        latest = self._clock.now() + self._every
        due_at = await offer_repository.next_due(transaction)
        return latest if due_at is None else min(due_at, latest)
