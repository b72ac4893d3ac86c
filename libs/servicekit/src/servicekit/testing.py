"""For tests: a whole service that a test moves step by step.

The harness runs the real consumers and jobs on a real PostgreSQL; only Kafka is in
memory, and nothing runs in the background.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self, TypeVar

import httpx
import sqlalchemy as sa
from contracts import Message
from fastapi import FastAPI
from faststream.kafka import KafkaBroker, TestKafkaBroker
from persistence.database import Database
from persistence.migrations import migrate
from persistence.tables import jobs, outbox
from pydantic import SecretStr

from servicekit.jobs import Job, JobRunner, Settle, _Finished
from servicekit.runtime import Runtime, Service, create_app

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class ServiceHarness:
    """One service with its HTTP client; see the module's docstring."""

    service: Service
    app: FastAPI
    http: httpx.AsyncClient
    broker: KafkaBroker

    @classmethod
    @asynccontextmanager
    async def start(cls, service: Service) -> AsyncIterator[Self]:
        """Serve on a database that is migrated already."""
        app = create_app(service)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        runtime: Runtime = app.state.runtime
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://service") as http,
            TestKafkaBroker(runtime.broker) as broker,
        ):
            for resource in service.resources:
                await resource.__aenter__()
            try:
                yield cls(service, app, http, broker)
            finally:
                for resource in service.resources:
                    await resource.__aexit__(None, None, None)
                await service.database.dispose()

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.service.database

    async def deliver(self, *messages: Message) -> None:
        """Bring messages as Kafka would, and handle them."""
        for message in messages:
            body = message.model_dump_json().encode()
            await self.deliver_raw(message.topic, body, key=message.key.encode())

    async def deliver_raw(self, topic: str, body: bytes, *, key: bytes = b"") -> None:
        """Bring any bytes."""
        await self.broker.publish(body, topic, key=key)

    async def run_jobs(self, rounds: int = 20) -> int:
        """Run due jobs until none is left; return how many ran."""
        total = 0
        runtime: Runtime = self.app.state.runtime
        for _ in range(rounds):
            ran = [await job.run_due() for job in runtime.jobs]
            total += sum(ran)
            if not any(ran):
                return total
        raise AssertionError("jobs stay due: something does not move its due time on")

    async def prune(self) -> int:
        """Delete what the service keeps no longer; return how many rows that were."""
        runtime: Runtime = self.app.state.runtime
        return await runtime.pruner.prune()

    async def sent_since(self, seq: int, *kinds: type[Message]) -> tuple[int, list[Message]]:
        """What was put into the outbox after `seq`, and up to where that is."""
        query = sa.select(outbox).where(outbox.c.seq > seq).order_by(outbox.c.seq)
        async with self.database.transaction() as transaction:
            rows = (await transaction.execute(query)).all()
        by_topic = {kind.topic.value: kind for kind in kinds}
        messages = [by_topic[row.topic].model_validate_json(row.body) for row in rows]
        return (rows[-1].seq if rows else seq), messages

    async def sent(self, message: type[M]) -> list[M]:
        """What stands in the outbox of one kind, oldest first."""
        async with self.database.transaction() as transaction:
            bodies = await transaction.scalars(
                sa.select(outbox.c.body)
                .where(outbox.c.topic == message.topic)
                .order_by(outbox.c.seq)
            )
        return [message.model_validate_json(body) for body in bodies]


@dataclass(slots=True)
class SlowWorker:
    """A worker with one job in hand, moved step by step: he may be frozen, late or dead."""

    service: ServiceHarness
    runner: JobRunner
    job: Job
    work: Settle | None = None

    @classmethod
    async def take(cls, service: ServiceHarness, kind: str) -> Self | None:
        """Claim a due job of a kind, if there is one."""
        runtime: Runtime = service.app.state.runtime
        [runner] = (runner for runner in runtime.jobs if runner.kind == kind)
        claimed = await runner._claim(1)  # noqa: SLF001  the steps of `run_due`, one by one
        return cls(service, runner, claimed[0]) if claimed else None

    async def perform(self) -> None:
        """Do the work, once, whoever may have done it meanwhile."""
        if self.work is None:
            self.work = await self.runner._perform(self.job)  # noqa: SLF001  see `take`

    async def settle(self, *, times: int = 1) -> None:
        """Settle what was done, or once too often."""
        if self.work is not None:
            for _ in range(times):
                await self.runner._settle([_Finished(self.job, self.work, {})])  # noqa: SLF001  see `take`

    async def lose_the_lease(self) -> None:
        """Be frozen for so long that others may take the job."""
        mine = sa.update(jobs).where(jobs.c.lease_token == self.job.lease_token)
        async with self.service.database.transaction() as transaction:
            await transaction.execute(mine.values(lease_until=sa.func.clock_timestamp()))


def migrated(package: str, url: str) -> str:
    """Bring an empty database to the schema of a service; its URL comes back."""
    asyncio.run(migrate(package, SecretStr(url)))
    return url


async def emptied(database: Database, *, keep: Sequence[str] = ()) -> None:
    """Delete what a service has stored; what every start needs stays, and the tables named."""
    kept = ["alembic_version", "schema_fits", "outbox_lease", *keep]
    query = (
        "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> ALL (:kept)"
    )
    async with database.transaction() as transaction:
        names = await transaction.scalar(sa.text(query), {"kept": kept})
        await transaction.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
