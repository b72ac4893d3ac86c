"""Move a line and tell orders about it, in one step."""

from datetime import datetime

from persistence.database import Transaction

from fulfillment_kinguin.adapters import line_repository
from fulfillment_kinguin.adapters.publish_fulfillment_updated import publish_fulfillment_updated
from fulfillment_kinguin.domain.line import ANSWERS, Line, LineState


async def tell_line(
    transaction: Transaction, line: Line, state: LineState, reason: str, now: datetime
) -> None:
    """Say what became of a locked line, unless its end or the same thing was said before."""
    if not line.is_wanted or (line.state, line.reason) == (state, reason):
        return
    if line.state is state:
        await line_repository.note(transaction, line, reason)
    else:
        await line_repository.move(transaction, line, state, reason)
    await answer_line(transaction, line, state, reason, now)


async def answer_line(
    transaction: Transaction, line: Line, state: LineState, reason: str | None, now: datetime
) -> None:
    """Say it without moving the line."""
    await publish_fulfillment_updated(
        transaction, line.order_id, line.id, (ANSWERS[state], reason), now
    )
