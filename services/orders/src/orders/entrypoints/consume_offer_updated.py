"""Consume `offer.updated`: what a key costs at Kinguin now.

Group `orders`, keyed by Kinguin's product id, at least once; a later look wins.
"""

from contracts import OfferUpdated
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_offer import ApplyOfferUpdated


def offer_updated_consumer(handler: ApplyOfferUpdated, give_up: GiveUp) -> Consumer[OfferUpdated]:
    """The consumer of this topic."""
    return Consumer(OfferUpdated, group="orders", handle=handler, give_up=give_up)
