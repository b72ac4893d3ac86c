"""Give keys to the lines of a product that wait, the first that asked first.

A line that wants more keys than are free holds up those behind it: serving them first
would let a big order wait for ever.
"""

from datetime import datetime
from uuid import UUID

from foundation.crash import crash_point
from persistence.database import Transaction

from fulfillment_custom.adapters import line_repository, stock_repository
from fulfillment_custom.adapters.publish_key_ready import publish_key_ready
from fulfillment_custom.adapters.publish_stock_updated import publish_stock_updated
from fulfillment_custom.domain.line import Line, LineState


async def serve_waiting_lines(
    transaction: Transaction, product_id: UUID, now: datetime
) -> set[UUID]:
    """Serve whom the free keys of a locked product suffice for; their line ids."""
    served: set[UUID] = set()
    await stock_repository.let_go_of_settled(transaction, product_id)
    free = await stock_repository.free_keys(transaction, product_id)
    for line in await line_repository.waiting(transaction, product_id):
        if line.quantity > free:
            break
        await _serve(transaction, line, now)
        free -= line.quantity
        served.add(line.id)
    await publish_stock_updated(transaction, product_id, now)
    return served


async def serve_reserved_line(transaction: Transaction, line: Line, now: datetime) -> bool:
    """Give a line of a locked product the keys that are held for it; whether it has all now."""
    held = await stock_repository.reserved_for(transaction, line.id)
    if len(held) != line.quantity:
        await stock_repository.let_go(transaction, [line.id])
        return False
    await stock_repository.assign(transaction, held, line.id)
    await _hand_over(transaction, line, now)
    return True


async def _serve(transaction: Transaction, line: Line, now: datetime) -> None:
    await stock_repository.assign_oldest(transaction, line.product_id, line.id, line.quantity)
    await _hand_over(transaction, line, now)


async def _hand_over(transaction: Transaction, line: Line, now: datetime) -> None:
    await line_repository.move(transaction, line, LineState.ASSIGNED)
    crash_point("custom.key_claimed")
    keys = await stock_repository.keys_of(transaction, line.id)
    await publish_key_ready(transaction, line, keys, now)
