"""Consume `order.cancelled`: let go of lines.

Group `fulfillment-kinguin`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import OrderCancelled
from servicekit.consumer import Consumer, GiveUp

from fulfillment_kinguin.handlers.cancel_lines import CancelLines


def order_cancelled_consumer(handler: CancelLines, give_up: GiveUp) -> Consumer[OrderCancelled]:
    """The consumer of this topic."""
    return Consumer(OrderCancelled, group="fulfillment-kinguin", handle=handler, give_up=give_up)
