"""Consume `order.cancelled`: void links.

Group `delivery`, at least once; the inbox and one delivery a line make it once.
"""

from contracts import OrderCancelled
from servicekit.consumer import Consumer, GiveUp

from delivery.handlers.void_deliveries import VoidDeliveries


def order_cancelled_consumer(handler: VoidDeliveries, give_up: GiveUp) -> Consumer[OrderCancelled]:
    """The consumer of this topic."""
    return Consumer(OrderCancelled, group="delivery", handle=handler, give_up=give_up)
