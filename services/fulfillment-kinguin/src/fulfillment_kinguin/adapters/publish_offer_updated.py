"""Publish `offer.updated`."""

from datetime import datetime

from contracts import Money, OfferUpdated
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from fulfillment_kinguin.domain.offers import FollowedOffer, OfferFacts


async def publish_offer_updated(
    transaction: Transaction,
    offer: FollowedOffer,
    facts: OfferFacts,
    *,
    seen_at: datetime,
    now: datetime,
) -> None:
    """Tell orders what a key costs, and how many can be bought."""
    price = facts.price_eur
    await emit(
        transaction,
        OfferUpdated(
            id=new_id(),
            occurred_at=now,
            kinguin_product_id=offer.kinguin_product_id,
            kinguin_offer_id=offer.kinguin_offer_id,
            price=None if price is None else Money(amount=price, currency="EUR"),
            cost_usd=facts.cost_usd,
            quantity=facts.quantity,
            seen_at=seen_at,
        ),
    )
