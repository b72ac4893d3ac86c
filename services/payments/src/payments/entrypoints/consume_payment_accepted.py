"""Consume `payment.accepted`: a part payment pays its order, by an admin's word.

Group `payments`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import PaymentAccepted
from servicekit.consumer import Consumer, GiveUp

from payments.handlers.accept_part import AcceptPart


def payment_accepted_consumer(handler: AcceptPart, give_up: GiveUp) -> Consumer[PaymentAccepted]:
    """The consumer of this topic."""
    return Consumer(PaymentAccepted, group="payments", handle=handler, give_up=give_up)
