"""Publish `key.ready`."""

from collections.abc import Sequence
from datetime import datetime

from contracts import KeyReady, SealedKey, SourceType
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from fulfillment_kinguin.domain.line import Line


async def publish_key_ready(
    transaction: Transaction, line: Line, keys: Sequence[SealedKey], now: datetime
) -> None:
    """Hand the line's keys to delivery, still sealed.

    Raises:
        MessageTooLarge: Kafka would refuse it; nothing was written.
    """
    await emit(
        transaction,
        KeyReady(
            id=new_id(),
            occurred_at=now,
            order_id=line.order_id,
            line_id=line.id,
            product_id=line.product_id,
            title=line.title,
            source_type=SourceType.KINGUIN,
            keys=tuple(keys),
            lines_in_order=line.lines_in_order,
            buyer=line.buyer,
        ),
    )
