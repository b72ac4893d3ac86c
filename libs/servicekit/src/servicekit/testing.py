"""For tests: a whole service that a test moves step by step.

The harness runs the real consumers and jobs on a real PostgreSQL; only Kafka is in
memory, and nothing runs in the background.
"""

import asyncio
from collections.abc import AsyncIterator
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
from persistence.tables import outbox
from pydantic import SecretStr

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

    async def sent(self, message: type[M]) -> list[M]:
        """What stands in the outbox of one kind, oldest first."""
        async with self.database.transaction() as transaction:
            bodies = await transaction.scalars(
                sa.select(outbox.c.body)
                .where(outbox.c.topic == message.topic)
                .order_by(outbox.c.seq)
            )
        return [message.model_validate_json(body) for body in bodies]


def migrated(package: str, url: str) -> str:
    """Bring an empty database to the schema of a service; its URL comes back."""
    asyncio.run(migrate(package, SecretStr(url)))
    return url
