"""Consume `fulfillment.requested.custom`: a paid line wants keys.

Group `fulfillment-custom`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import FulfillmentRequestedCustom
from servicekit.consumer import Consumer, GiveUp

from fulfillment_custom.handlers.fulfill_line import FulfillLine


def fulfillment_requested_consumer(
    handler: FulfillLine, give_up: GiveUp
) -> Consumer[FulfillmentRequestedCustom]:
    """The consumer of this topic."""
    return Consumer(
        FulfillmentRequestedCustom, group="fulfillment-custom", handle=handler, give_up=give_up
    )
