"""Consume `fulfillment.updated`: delayed, failed, handed back.

Group `orders`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import FulfillmentUpdated
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_fulfillment import ApplyFulfillmentUpdated


def fulfillment_updated_consumer(
    handler: ApplyFulfillmentUpdated, give_up: GiveUp
) -> Consumer[FulfillmentUpdated]:
    """The consumer of this topic."""
    return Consumer(FulfillmentUpdated, group="orders", handle=handler, give_up=give_up)
