"""Consume `fulfillment.requested.kinguin`: a paid line wants keys.

Group `fulfillment-kinguin`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import FulfillmentRequestedKinguin
from servicekit.consumer import Consumer, GiveUp

from fulfillment_kinguin.handlers.fulfill_line import FulfillLine


def fulfillment_requested_consumer(
    handler: FulfillLine, give_up: GiveUp
) -> Consumer[FulfillmentRequestedKinguin]:
    """The consumer of this topic."""
    return Consumer(
        FulfillmentRequestedKinguin, group="fulfillment-kinguin", handle=handler, give_up=give_up
    )
