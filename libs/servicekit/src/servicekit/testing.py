"""For tests: a clock to set, and a whole service that a test moves step by step.

The harness runs the real consumers and jobs on a real PostgreSQL; only Kafka is in
memory, and nothing runs in the background.
"""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

import httpx
import sqlalchemy as sa
import structlog
from contracts import Message
from fastapi import FastAPI
from faststream.kafka import KafkaBroker, TestKafkaBroker
from pydantic import SecretStr

from servicekit.clock import new_id
from servicekit.database import Database
from servicekit.logging import configure_logging
from servicekit.migrations import migrate
from servicekit.runtime import Runtime, Service, create_app
from servicekit.tables import outbox
from servicekit.tokens import Principal, Role, Scope, TokenSigner

M = TypeVar("M", bound=Message)


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """The moment the test has set."""
        return self._now

    def advance(self, seconds: float = 0, **parts: float) -> None:
        """Move on by seconds, or by the parts of a `timedelta`."""
        self._now += timedelta(seconds=seconds, **parts)


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

    async def sent(self, message: type[M]) -> list[M]:
        """What stands in the outbox of one kind, oldest first."""
        async with self.database.transaction() as transaction:
            bodies = await transaction.scalars(
                sa.select(outbox.c.body)
                .where(outbox.c.topic == message.topic)
                .order_by(outbox.c.seq)
            )
        return [message.model_validate_json(body) for body in bodies]


def admin_token(signer: TokenSigner, role: Role = Role.OWNER, *, now: datetime) -> str:
    """A bearer token of an admin, valid for an hour."""
    return signer.issue(
        Principal(Scope.ADMIN, "test-admin", role),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        token_id=str(new_id()),
    )


def order_token(signer: TokenSigner, order_id: object, *, now: datetime) -> str:
    """The token of one order, valid for an hour."""
    return signer.issue(
        Principal(Scope.ORDER, str(order_id)),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        token_id=str(order_id),
    )


@contextmanager
def captured_log(service: str) -> Iterator[io.StringIO]:
    """What a process of this service would print, as JSON lines; undone afterwards."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(service, "info", stream)
    try:
        yield stream
    finally:
        root.handlers, root.level = handlers, level
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()


def migrated(package: str, url: str) -> str:
    """Bring an empty database to the schema of a service; its URL comes back."""
    asyncio.run(migrate(package, SecretStr(url)))
    return url
