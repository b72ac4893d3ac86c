"""Rows are kept as long as they are needed, and no longer."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from foundation.clock import new_id
from foundation.testing import FixedClock
from persistence.database import Database
from persistence.pruning import BATCH, INBOX, Pruner
from persistence.tables import inbox


async def see(database: Database, at: datetime, rows: int) -> None:
    """Take messages at a time."""
    values = [{"consumer": "test", "message_id": new_id(), "seen_at": at} for _ in range(rows)]
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(inbox), values)


async def left(database: Database) -> int:
    async with database.transaction() as transaction:
        return int(await transaction.scalar(sa.select(sa.func.count()).select_from(inbox)) or 0)


async def test_message_is_remembered_for_twice_the_time_it_can_come_again(
    database: Database, clock: FixedClock
) -> None:
    await see(database, clock.now() - timedelta(days=14, seconds=1), 1)
    await see(database, clock.now() - timedelta(days=14), 1)

    deleted = await Pruner([INBOX], database, clock).prune()

    assert (deleted, await left(database)) == (1, 1)


async def test_many_old_rows_go_in_batches_until_none_is_left(
    database: Database, clock: FixedClock
) -> None:
    await see(database, clock.now() - timedelta(days=15), 2 * BATCH)
    await see(database, clock.now(), 3)

    deleted = await Pruner([INBOX], database, clock).prune()

    assert (deleted, await left(database)) == (2 * BATCH, 3)


async def test_rows_somebody_holds_are_left_for_the_next_round(
    database: Database, clock: FixedClock
) -> None:
    await see(database, clock.now() - timedelta(days=15), 2)
    pruner = Pruner([INBOX], database, clock)

    async with database.transaction() as holding:
        await holding.execute(sa.select(inbox).limit(1).with_for_update())
        first = await pruner.prune()

    assert (first, await pruner.prune()) == (1, 1)
