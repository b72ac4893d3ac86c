"""Consume `order.cancelled`: let go of lines.

Group `fulfillment-custom`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import OrderCancelled
from servicekit.consumer import Consumer, GiveUp

from fulfillment_custom.handlers.cancel_lines import CancelLines


def order_cancelled_consumer(handler: CancelLines, give_up: GiveUp) -> Consumer[OrderCancelled]:
    """The consumer of this topic."""
    return Consumer(OrderCancelled, group="fulfillment-custom", handle=handler, give_up=give_up)
