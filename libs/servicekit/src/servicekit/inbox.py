"""The inbox: a message has its effect once, however often Kafka brings it.

The row is written in the transaction of the effect. A second copy at the same moment
waits for the first's row and then finds it.
"""

from collections.abc import Sequence
from typing import TypeVar

from contracts import Message
from persistence.database import Transaction
from persistence.tables import inbox
from sqlalchemy.dialects.postgresql import insert

M = TypeVar("M", bound=Message)


async def take_unseen(transaction: Transaction, consumer: str, messages: Sequence[M]) -> list[M]:
    """Record the messages and return those that `consumer` had not seen, in order."""
    by_id = {message.id: message for message in messages}
    if not by_id:
        return []
    # Sorted, so that two instances with the same messages cannot lock each other out.
    rows = [{"consumer": consumer, "message_id": id_} for id_ in sorted(by_id)]
    fresh = set(
        await transaction.scalars(
            insert(inbox).values(rows).on_conflict_do_nothing().returning(inbox.c.message_id)
        )
    )
    return [message for id_, message in by_id.items() if id_ in fresh]
