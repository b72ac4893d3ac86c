"""Consume `delivery.updated`: keys that were voided before anybody saw them.

Group `fulfillment-kinguin`, keyed by order id, at least once; the inbox makes it once.
Orders hears the topic as well.
"""

from contracts import DeliveryUpdated
from servicekit.consumer import Consumer, GiveUp

from fulfillment_kinguin.handlers.take_back_unseen import TakeBackUnseen


def delivery_updated_consumer(
    handler: TakeBackUnseen, give_up: GiveUp
) -> Consumer[DeliveryUpdated]:
    """The consumer of this topic."""
    return Consumer(DeliveryUpdated, group="fulfillment-kinguin", handle=handler, give_up=give_up)
