"""Publish `stock.updated`."""

from datetime import datetime
from uuid import UUID

from contracts import Reservation, StockLevel, StockUpdated
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from fulfillment_custom.adapters import stock_repository


async def publish_stock_updated(transaction: Transaction, product_id: UUID, now: datetime) -> None:
    """Tell orders how many keys of a locked product are free now."""
    free, version = await stock_repository.next_level(transaction, product_id, now)
    level = StockLevel(product_id=product_id, free=free, version=version)
    await emit(transaction, StockUpdated(id=new_id(), occurred_at=now, level=level))


async def publish_reservation(
    transaction: Transaction, order_id: UUID, *, held: bool, now: datetime
) -> None:
    """Tell orders whether the custom lines of an order are held."""
    answer = Reservation(order_id=order_id, held=held)
    await emit(transaction, StockUpdated(id=new_id(), occurred_at=now, reservation=answer))
