"""Publish `product.updated`."""

from collections.abc import Sequence
from datetime import datetime

from contracts import ProductUpdated
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.catalogue import Product


async def publish_product_updated(
    transaction: Transaction, products: Sequence[Product], now: datetime
) -> None:
    """Tell fulfillment-kinguin which of its offers these products stand for."""
    messages = [
        ProductUpdated(
            id=new_id(),
            occurred_at=now,
            product_id=product.id,
            kinguin_product_id=product.kinguin_product_id,
            kinguin_offer_id=product.kinguin_offer_id,
            on_sale=product.is_sold_from_kinguin,
            version=product.version,
        )
        for product in products
    ]
    await emit(transaction, *messages)
