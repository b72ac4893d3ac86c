"""Consume `order.cancelled`: let the invoice go, and keep looking for money.

Group `payments`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import OrderCancelled
from servicekit.consumer import Consumer, GiveUp

from payments.handlers.take_order import CancelInvoice


def order_cancelled_consumer(handler: CancelInvoice, give_up: GiveUp) -> Consumer[OrderCancelled]:
    """The consumer of this topic."""
    return Consumer(OrderCancelled, group="payments", handle=handler, give_up=give_up)
