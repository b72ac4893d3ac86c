"""Rows that have served: deleted in small batches once nothing asks for them any more.

No job row: nothing waits for it, several instances skip each other's rows, and a round
that fails is made up for by the next.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from contracts.topics import RETENTION_MS
from foundation.clock import Clock

from persistence.database import Database
from persistence.tables import inbox

TWICE_ON_TOPICS: Final = 2 * timedelta(milliseconds=RETENTION_MS)
"""Twice as long as Kafka keeps a message: it cannot come again after that."""

BATCH: Final = 1_000
"""Rows a transaction: locks are held for milliseconds."""

EVERY_S: Final = 600

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows of the column's table go when the column is older than `keep`."""

    column: sa.Column[datetime]
    keep: timedelta


INBOX: Final = Retention(inbox.c.seen_at, TWICE_ON_TOPICS)


class Pruner:
    """Keeps the tables of one service as small as their retentions say."""

    def __init__(self, retentions: Sequence[Retention], database: Database, clock: Clock) -> None:
        self._retentions = retentions
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Prune for ever."""
        while True:
            try:
                await self.prune()
            except Exception as error:  # noqa: BLE001  the next round makes up for it
                _log.warning("pruning.failed", error=repr(error))
            await asyncio.sleep(EVERY_S)

    async def prune(self) -> int:
        """Delete what is too old now; how many rows that were."""
        return sum([await self._prune(retention) for retention in self._retentions])

    async def _prune(self, retention: Retention) -> int:
        total, deleted = 0, BATCH
        while deleted == BATCH:
            deleted = await self._delete_batch(retention)
            total += deleted
        if total:
            _log.info("rows.pruned", table=retention.column.table.name, rows=total)
        return total

    async def _delete_batch(self, retention: Retention) -> int:
        table = retention.column.table
        identity = list(table.primary_key)
        old = (
            sa.select(*identity)
            .where(retention.column < self._clock.now() - retention.keep)
            .order_by(retention.column)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction() as transaction:
            deleted = await transaction.execute(
                sa.delete(table).where(sa.tuple_(*identity).in_(old))
            )
        return deleted.rowcount
