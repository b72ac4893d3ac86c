"""Gauges that are read from the database every few seconds.

The age of the outbox, the jobs that are due and the dead letters say whether messages
and work move; alerts stand on them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
import structlog
from persistence.database import Database
from persistence.readings import Reading, ReadingGauge
from persistence.tables import dead_letters, jobs, outbox
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

_EVERY_S = 5.0
# A service's own readings count whole tables: not every time.
_OWN_EVERY = 3

_log = structlog.get_logger()


class Sampler:
    """Keeps the gauges of one service current."""

    def __init__(self, database: Database, readings: Sequence[Reading] = ()) -> None:
        self._database = database
        self._rounds = 0
        self.registry = CollectorRegistry()
        self._pending = Gauge("outbox_pending", "Messages not sent yet", registry=self.registry)
        self._age = Gauge(
            "outbox_oldest_age_seconds", "Age of the oldest unsent message", registry=self.registry
        )
        self._due = Gauge("jobs_due", "Jobs past their time", ["kind"], registry=self.registry)
        self._overdue = Gauge(
            "jobs_oldest_due_age_seconds", "Lateness of a kind", ["kind"], registry=self.registry
        )
        self._failing = Gauge(
            "jobs_failing", "Jobs whose last try failed", ["kind"], registry=self.registry
        )
        self._dead = Gauge(
            "dead_letters", "Messages given up or tried again", ["topic"], registry=self.registry
        )
        self._read_at = Gauge(
            "figures_read_timestamp_seconds", "When these gauges were read", registry=self.registry
        )
        self._loop_lag = Gauge(
            "event_loop_lag_seconds", "How much too late a timer was", registry=self.registry
        )
        in_use = Gauge("database_connections_in_use", "Of the pool", registry=self.registry)
        in_use.set_function(lambda: _in_use(database))
        self._own = [ReadingGauge(reading, self.registry) for reading in readings]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sample in the background."""
        task = asyncio.create_task(self._run(), name="sampler")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.sample()
            except Exception as error:  # noqa: BLE001  figures come back with PostgreSQL
                _log.warning("sampler.failed", error=repr(error))
            before = time.perf_counter()
            await asyncio.sleep(_EVERY_S)
            self._loop_lag.set(max(0.0, time.perf_counter() - before - _EVERY_S))

    async def sample(self) -> None:
        """Read every figure once."""
        async with self._database.engine.connect() as connection:
            pending = (await connection.execute(_PENDING)).one()
            due = (await connection.execute(_DUE)).all()
            failing = (await connection.execute(_FAILING)).all()
            dead = (await connection.execute(_DEAD)).all()
            await self._sample_own(connection)
        self._pending.set(pending.number)
        self._age.set(pending.age or 0)
        for gauge in (self._due, self._overdue, self._failing, self._dead):
            gauge.clear()
        for row in due:
            self._due.labels(row.kind).set(row.number)
            self._overdue.labels(row.kind).set(row.age)
        for row in failing:
            self._failing.labels(row.kind).set(row.number)
        for row in dead:
            self._dead.labels(row.topic).set(row.number)
        self._read_at.set_to_current_time()

    async def _sample_own(self, connection: AsyncConnection) -> None:
        if self._rounds % _OWN_EVERY == 0:
            for gauge in self._own:
                gauge.show((await connection.execute(gauge.reading.query)).all())
        self._rounds += 1


def _in_use(database: Database) -> int:
    pool: Any = database.engine.pool
    return int(pool.checkedout()) if isinstance(pool, QueuePool) else 0


def _age(column: sa.ColumnElement[object]) -> sa.Label[float]:
    now = sa.func.clock_timestamp()
    return sa.cast(sa.extract("epoch", now - sa.func.min(column)), sa.Float).label("age")


_PENDING = sa.select(sa.func.count().label("number"), _age(outbox.c.created_at))
_DUE = (
    sa.select(jobs.c.kind, sa.func.count().label("number"), _age(jobs.c.due_at))
    .where(jobs.c.due_at <= sa.func.clock_timestamp())
    .group_by(jobs.c.kind)
)
_FAILING = (
    sa.select(jobs.c.kind, sa.func.count().label("number"))
    .where(jobs.c.last_error.is_not(None))
    .group_by(jobs.c.kind)
)
_DEAD = sa.select(dead_letters.c.topic, sa.func.count().label("number")).group_by(
    dead_letters.c.topic
)
