"""Consume `product.updated`: which offers the catalogue uses.

Group `fulfillment-kinguin`, keyed by product id, at least once; a higher version wins.
"""

from contracts import ProductUpdated
from servicekit.consumer import Consumer, GiveUp

from fulfillment_kinguin.handlers.follow_product import FollowProduct


def product_updated_consumer(handler: FollowProduct, give_up: GiveUp) -> Consumer[ProductUpdated]:
    """The consumer of this topic."""
    return Consumer(ProductUpdated, group="fulfillment-kinguin", handle=handler, give_up=give_up)
