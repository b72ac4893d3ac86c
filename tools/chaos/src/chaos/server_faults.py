"""What PostgreSQL and Kafka refuse by themselves, made to happen on purpose."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from contracts import Topic
from stack.parts.databases import run_sql
from stack.parts.kafka_client import create_topics
from stack.plan import SERVICES_WITH_DATABASE

from chaos.faults import Fault
from chaos.world import World

DEADLOCK: Final = "40P01"
SERIALIZATION_FAILURE: Final = "40001"
DISK_FULL: Final = "53100"
"""SQLSTATE: PostgreSQL's documentation, appendix A."""

_TABLES: Final = ("inbox", "outbox", "jobs", "dead_letters")


class NothingRefused(Exception):
    """The fault was not made: no statement met it."""


def writes_refused(sqlstate: str, share: float) -> Fault:
    """In every database this share of statements that write what services remember is refused.

    The transaction is gone by that, as after a true deadlock or on a full disk. Refusals are
    counted by a sequence, which no rollback takes back.
    """
    make = f"""
        CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            IF random() < {share} THEN
                PERFORM nextval('public.chaos_refused');
                RAISE EXCEPTION 'planted' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN NULL;
        END $$"""
    arm = [
        f"CREATE TRIGGER chaos_refuse BEFORE INSERT OR UPDATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION chaos_refuse()"
        for table in _TABLES
    ]

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        urls = [_database(world, service) for service in SERVICES_WITH_DATABASE]
        try:
            for url in urls:
                await asyncio.to_thread(run_sql, url, "CREATE SEQUENCE chaos_refused", make, *arm)
            yield
        finally:
            refused = [await _take_back(url) for url in urls]
        if not any(refused):
            raise NothingRefused

    return during


async def _take_back(url: str) -> bool:
    """End it in one database; whether anything was refused there."""
    # Each for itself: one that locks a table while it holds another deadlocks with the services.
    disarm = [f"DROP TRIGGER IF EXISTS chaos_refuse ON {table}" for table in _TABLES]
    await asyncio.to_thread(run_sql, url, *disarm, "DROP FUNCTION IF EXISTS chaos_refuse")
    connection = await asyncpg.connect(url)
    try:
        counter = await connection.fetchval("SELECT to_regclass('chaos_refused')")
        if counter is None:
            return False  # it was never armed
        refused: bool = await connection.fetchval("SELECT is_called FROM chaos_refused")
        await connection.execute("DROP SEQUENCE chaos_refused")
    finally:
        await connection.close()
    return refused


def _database(world: World, service: str) -> str:
    """As the superuser: a service may not change its own tables' triggers unseen."""
    name = service.replace("-", "_")
    return urlsplit(world.parts.postgres_part.url)._replace(path=f"/{name}").geturl()


def kafka_disk_full() -> Fault:
    """The broker can write nothing more, as on a full disk; started again when there is room.

    Each of its files is at its greatest size, by a limit of the process: no file system is filled.

    Raises:
        NothingRefused: it did not even notice.
    """

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        broker = world.living("kafka")
        _, hard = resource.prlimit(broker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (1, hard))
        try:
            yield
        finally:
            has_ended = not broker.is_alive()
            await asyncio.to_thread(lambda: world.parts.broker.stop(at_once=True))
            await asyncio.to_thread(world.parts.broker.start)
        if not has_ended:
            raise NothingRefused

    return during


def topic_missing(topic: Topic) -> Fault:
    """A topic is deleted, and made anew at the end; nobody makes it by writing to it."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        servers = world.stack["KAFKA_BOOTSTRAP_SERVERS"]
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        try:
            await admin.delete_topics([topic.value])
        finally:
            await admin.close()
        try:
            yield
        finally:
            await asyncio.to_thread(create_topics, servers, [topic.value])

    return during
