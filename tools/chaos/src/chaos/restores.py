"""Databases that go back to a backup while orders are on their way: the restore drill.

As docs/operating.md says: the service is stopped, its database restored, the topics it reads are
read again from before the backup, and it is started. Customers had ordered when the backup was
taken; that they paid, had their keys and saw them is what the backup does not know.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from aiokafka.admin import AIOKafkaAdminClient
from bitloot_verify.sources import object_keys
from stack.parts import backup
from stack.processes import run_to_end
from stack.verify import bucket_of

from chaos.customers import SETTLED, Ticket
from chaos.world import World

_BEFORE_BACKUP: Final = timedelta(seconds=30)
_PATIENCE_S: Final = 120.0
_LOOK_S: Final = 4.0
"""A link shows its keys five times: it must last until the others of its order are there."""
_LONGEST_AFTER_S: Final = 8.0
_REPLAY_DEADLINE_S: Final = 180.0


class ReplayFailed(Exception):
    """`bitloot replay` ended otherwise than well; the text is what it said."""


class OtherKeys(Exception):
    """A buyer was shown other keys after the restore than before."""


class Restore:
    """The fault and its customers, who wait for the backup with their money."""

    def __init__(self, *services: str) -> None:
        self._services = services
        self._reset()

    def _reset(self) -> None:
        self._begun = self._ordered = self._settled = 0
        self._news = asyncio.Condition()
        self._is_taken, self._is_restored = asyncio.Event(), asyncio.Event()

    async def buys(self, world: World, why: str) -> Ticket:
        """Orders of both sources, pays once the backup is taken, and looks at its keys; twice.

        Raises:
            OtherKeys: they are not the same.
        """
        self._begun += 1
        ticket = await world.customers.order(why, "both")
        await world.customers.invoice(ticket)
        await self._tell(ordered=1)
        await self._is_taken.wait()
        await world.customers.pay(ticket)
        keys = await _read_keys(world, ticket)
        await self._tell(settled=1)
        await self._is_restored.wait()
        if await _read_keys(world, ticket) != keys:
            raise OtherKeys(ticket.id)
        return ticket

    async def _tell(self, *, ordered: int = 0, settled: int = 0) -> None:
        async with self._news:
            self._ordered += ordered
            self._settled += settled
            self._news.notify_all()

    @asynccontextmanager
    async def during(self, world: World) -> AsyncIterator[None]:
        """Back up when all have ordered, and restore when the first has seen its keys."""
        self._reset()
        yield
        await self._until(lambda: self._ordered == self._begun)
        moment = datetime.now(UTC)
        await asyncio.to_thread(self._back_up, world)
        self._is_taken.set()
        await self._until(lambda: self._settled > 0)
        await asyncio.sleep(world.dice.uniform(0, _LONGEST_AFTER_S))
        topics = await _topics(world)
        await asyncio.to_thread(self._restore, world, topics, moment - _BEFORE_BACKUP)
        self._is_restored.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_S), self._news:
            await self._news.wait_for(is_so)

    def _back_up(self, world: World) -> None:
        for service in self._services:
            backup.back_up(world.parts.postgres_part.url, _database(service), _file(world, service))

    def _restore(self, world: World, topics: list[tuple[str, str]], since: datetime) -> None:
        with ExitStack() as stopped:
            for service in self._services:
                stopped.enter_context(world.stack.stopped(service))
            for service in self._services:
                backup.restore(
                    world.parts.postgres_part.url, _database(service), _file(world, service)
                )
            if "delivery" in self._services:
                asyncio.run(_delete_unnamed_objects(world))
            with ThreadPoolExecutor() as pool:
                wanted = [pair for pair in topics if pair[0] in self._services]
                list(pool.map(lambda pair: _replay(world, pair[0], pair[1], since), wanted))


async def _read_keys(world: World, ticket: Ticket) -> list[dict[str, Any]]:
    """What the links on the order's page show, once it is fulfilled and they lead somewhere.

    Raises:
        TimeoutError: they do not.
    """
    async with asyncio.timeout(2 * _PATIENCE_S):
        while True:
            await world.customers.page(ticket)
            if ticket.status in SETTLED:
                with suppress(httpx.HTTPStatusError):  # a link may be lost, and another come
                    return await world.customers.reveal_all(ticket)
            await asyncio.sleep(_LOOK_S)


async def _delete_unnamed_objects(world: World) -> None:
    """What the runbook has a person do: nobody can open them, their keys were in the lost rows."""
    connection = await asyncpg.connect(world.stack["DELIVERY_DATABASE_URL"])
    try:
        rows = await connection.fetch("SELECT object_key FROM deliveries")
    finally:
        await connection.close()
    bucket = bucket_of(world.stack)
    async with bucket.client() as s3:
        for key in await object_keys(bucket) - {row["object_key"] for row in rows}:
            await s3.delete_object(Bucket=bucket.name, Key=key)


async def _topics(world: World) -> list[tuple[str, str]]:
    """Who reads what, as Kafka knows it: a group is a service and a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.stack["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    try:
        groups = [name for name, *_rest in await admin.list_consumer_groups()]
    finally:
        await admin.close()
    pairs = (group.partition(".") for group in sorted(groups))
    return [(service, topic) for service, _dot, topic in pairs]


def _replay(world: World, service: str, topic: str, since: datetime) -> None:
    command = [sys.executable, "-m", "bitloot_cli", "replay", service, topic]
    moment = since.strftime("%Y-%m-%dT%H:%M:%S")
    servers = {"KAFKA_BOOTSTRAP_SERVERS": world.stack["KAFKA_BOOTSTRAP_SERVERS"]}
    done = run_to_end(
        [*command, "--since", moment],
        deadline_s=_REPLAY_DEADLINE_S,
        environment={**os.environ, **servers},
    )
    if done.returncode != 0:
        raise ReplayFailed(done.stderr.strip() or done.stdout.strip())


def _database(service: str) -> str:
    return service.replace("-", "_")


def _file(world: World, service: str) -> Path:
    return world.stack.folder / f"{service}.backup"
