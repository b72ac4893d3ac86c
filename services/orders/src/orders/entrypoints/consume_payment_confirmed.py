"""Consume `payment.confirmed`: ask for the keys of a paid order.

Group `orders`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import PaymentConfirmed
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_payment import ApplyPaymentConfirmed


def payment_confirmed_consumer(
    handler: ApplyPaymentConfirmed, give_up: GiveUp
) -> Consumer[PaymentConfirmed]:
    """The consumer of this topic."""
    return Consumer(PaymentConfirmed, group="orders", handle=handler, give_up=give_up)
