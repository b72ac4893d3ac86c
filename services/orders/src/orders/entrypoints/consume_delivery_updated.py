"""Consume `delivery.updated`: stored, mailed, revealed.

Group `orders`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import DeliveryUpdated
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_delivery import ApplyDeliveryUpdated


def delivery_updated_consumer(
    handler: ApplyDeliveryUpdated, give_up: GiveUp
) -> Consumer[DeliveryUpdated]:
    """The consumer of this topic."""
    return Consumer(DeliveryUpdated, group="orders", handle=handler, give_up=give_up)
