"""Consume `stock.updated`: how many keys are free.

Group `orders`, keyed by product id, at least once; the inbox makes it once.
"""

from contracts import StockUpdated
from servicekit.consumer import Consumer, GiveUp

from orders.handlers.apply_fulfillment import ApplyStockUpdated


def stock_updated_consumer(handler: ApplyStockUpdated, give_up: GiveUp) -> Consumer[StockUpdated]:
    """The consumer of this topic."""
    return Consumer(StockUpdated, group="orders", handle=handler, give_up=give_up)
