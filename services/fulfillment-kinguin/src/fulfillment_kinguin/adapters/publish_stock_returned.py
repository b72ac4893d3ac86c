"""Publish `stock.returned`."""

from collections.abc import Sequence
from datetime import datetime

from contracts import SealedKey, StockReturned
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from fulfillment_kinguin.domain.line import Line


async def publish_stock_returned(
    transaction: Transaction, line: Line, keys: Sequence[SealedKey], now: datetime
) -> None:
    """Give bought keys that nobody wants any more to own stock; one message a key.

    Raises:
        MessageTooLarge: Kafka would refuse one; nothing was written.
    """
    messages = [
        StockReturned(
            id=new_id(),
            occurred_at=now,
            order_id=line.order_id,
            line_id=line.id,
            product_id=line.product_id,
            keys=(key,),
        )
        for key in keys
    ]
    await emit(transaction, *messages)
