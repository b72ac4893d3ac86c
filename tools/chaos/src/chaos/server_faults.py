"""What PostgreSQL and Kafka refuse by themselves, made to happen on purpose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

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


def writes_refused(sqlstate: str, share: float) -> Fault:
    """In every database this share of statements that write what services remember is refused.

    The transaction is gone by that, as after a true deadlock or on a full disk.
    """
    make = f"""
        CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF random() < {share} THEN
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
        for url in urls:
            await asyncio.to_thread(run_sql, url, make, *arm)
        try:
            yield
        finally:
            for url in urls:
                await asyncio.to_thread(run_sql, url, "DROP FUNCTION chaos_refuse CASCADE")

    return during


def _database(world: World, service: str) -> str:
    """As the superuser: a service may not change its own tables' triggers unseen."""
    name = service.replace("-", "_")
    return urlsplit(world.parts.postgres_part.url)._replace(path=f"/{name}").geturl()


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
