"""Which offers are followed, what one costs now, and what of it orders must hear."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from fulfillment_kinguin.domain.choose_offer import present_offer
from fulfillment_kinguin.domain.supply import Product

TELL_AGAIN: Final = timedelta(hours=1)
"""Orders believes what it heard for some hours: what has not changed is told now and then."""

_PLACES: Final = Decimal("0.0001")
_MOST: Final = 1_000_000
"""More than this is no number of keys, but a mistake."""


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What one key costs and how many can be bought for that; without a price, none."""

    price_eur: Decimal | None
    cost_usd: Decimal | None
    quantity: int


NOT_ON_SALE: Final = OfferFacts(None, None, 0)


@dataclass(frozen=True, slots=True)
class FollowedOffer:
    """The offer that a product of the catalogue stands for, and what orders heard of it last."""

    product_id: UUID
    version: int
    kinguin_product_id: str
    kinguin_offer_id: str | None
    due_at: datetime
    told: OfferFacts | None
    told_at: datetime | None


def same_id(kinguin_product_id: str) -> str:
    """One spelling of an id: Kinguin's numbers and hexadecimal ids have several."""
    if kinguin_product_id.isascii() and kinguin_product_id.isdigit():
        return str(int(kinguin_product_id))
    return kinguin_product_id.lower()


def by_either_id(products: Iterable[Product]) -> Mapping[str, Product]:
    """The products by their ids and by their numbers."""
    found: dict[str, Product] = {}
    for product in products:
        found[same_id(product.product_id)] = product
        if product.kinguin_id is not None:
            found[str(product.kinguin_id)] = product
    return found


def facts_of(product: Product | None, offer_id: str | None, rate: Decimal | None) -> OfferFacts:
    """What buying one key would cost now, by the rule of buying; `rate` is dollars for a euro."""
    offer = None if product is None else present_offer(product, offer_id)
    if offer is None:
        return NOT_ON_SALE
    price = offer.price.quantize(_PLACES)
    cost = None if rate is None else (price * rate).quantize(_PLACES)
    return OfferFacts(price, cost, min(offer.quantity, _MOST))


def must_be_told(offer: FollowedOffer, facts: OfferFacts, now: datetime) -> bool:
    """Whether something changed, or it was long ago."""
    if offer.told_at is None or now - offer.told_at >= TELL_AGAIN:
        return True
    return facts != offer.told
