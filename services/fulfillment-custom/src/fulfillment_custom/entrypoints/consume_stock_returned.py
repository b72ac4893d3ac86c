"""Consume `stock.returned`: bought keys come into own stock.

Group `fulfillment-custom`, keyed by order id, at least once; the inbox makes it once.
"""

from contracts import StockReturned
from servicekit.consumer import Consumer, GiveUp

from fulfillment_custom.handlers.add_stock import TakeReturnedKeys


def stock_returned_consumer(handler: TakeReturnedKeys, give_up: GiveUp) -> Consumer[StockReturned]:
    """The consumer of this topic."""
    return Consumer(StockReturned, group="fulfillment-custom", handle=handler, give_up=give_up)
