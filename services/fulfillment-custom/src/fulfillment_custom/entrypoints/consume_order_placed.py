"""Consume `order.placed`: hold keys for its custom lines.

Group `fulfillment-custom`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import OrderPlaced
from servicekit.consumer import Consumer, GiveUp

from fulfillment_custom.handlers.reserve_stock import ReserveStock


def order_placed_consumer(handler: ReserveStock, give_up: GiveUp) -> Consumer[OrderPlaced]:
    """The consumer of this topic."""
    return Consumer(OrderPlaced, group="fulfillment-custom", handle=handler, give_up=give_up)
