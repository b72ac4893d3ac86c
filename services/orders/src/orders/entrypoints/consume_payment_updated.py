"""Consume `payment.updated`: follow the payment.

Group `orders`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import PaymentUpdated
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_payment import ApplyPaymentUpdated


def payment_updated_consumer(
    handler: ApplyPaymentUpdated, give_up: GiveUp
) -> Consumer[PaymentUpdated]:
    """The consumer of this topic."""
    return Consumer(PaymentUpdated, group="orders", handle=handler, give_up=give_up)
