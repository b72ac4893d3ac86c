"""Consume `order.placed`: have an invoice made.

Group `payments`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import OrderPlaced
from servicekit.consumer import Consumer, GiveUp

from payments.handlers.take_order import TakeOrder


def order_placed_consumer(handler: TakeOrder, give_up: GiveUp) -> Consumer[OrderPlaced]:
    """The consumer of this topic."""
    return Consumer(OrderPlaced, group="payments", handle=handler, give_up=give_up)
