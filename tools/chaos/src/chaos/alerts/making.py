"""The faults of the alerts that the fault matrix lacks: each is a context to be in meanwhile."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import asyncpg
from stack.parts.databases import run_sql

from chaos.alerts import shop_hands as hands
from chaos.customers import Ticket
from chaos.meanwhile import meanwhile
from chaos.world import World

_FLOOD_S: Final = 0.25
_SEARCH_S: Final = 1.0
_STOPPED_S: Final = 4.4
_RUNS_S: Final = 2.1
"""Together what the sampler of a service sleeps, and a second and a half."""


@asynccontextmanager
async def standing_still(world: World, service: str) -> AsyncIterator[None]:
    """A process that neither ends nor answers."""
    stopped = world.living(service)
    stopped.signal_group(signal.SIGSTOP)
    try:
        yield
    finally:
        stopped.signal_group(signal.SIGCONT)


@asynccontextmanager
async def starved(world: World, service: str) -> AsyncIterator[None]:
    """A process that gets the processor for two seconds at a time only."""

    async def starve() -> None:
        async with standing_still(world, service):
            await asyncio.sleep(_STOPPED_S)
        await asyncio.sleep(_RUNS_S)

    async with _again_and_again(starve):
        yield


def notifications(world: World, *, forged: bool = False) -> AbstractAsyncContextManager[None]:
    """Four notifications a second about orders that nobody knows."""

    async def send() -> None:
        await hands.notify(world, str(uuid.uuid4()), forged=forged)
        await asyncio.sleep(_FLOOD_S)

    return _again_and_again(send)


def searches(world: World) -> AbstractAsyncContextManager[None]:
    """An admin who looks for products every second."""

    async def search() -> None:
        await hands.search_kinguin(world)
        await asyncio.sleep(_SEARCH_S)

    return _again_and_again(search)


@asynccontextmanager
async def violation(world: World, healthy: Ticket) -> AsyncIterator[None]:
    """Three fingerprints in the deliveries of an order whose lines have two keys at most."""
    where = f"WHERE order_id = '{healthy.id}'"  # an id that the shop gave
    keep = f"CREATE TABLE planted AS SELECT line_id, fingerprints FROM deliveries {where}"  # noqa: S608
    plant = f"UPDATE deliveries SET fingerprints = ARRAY['a', 'b', line_id::text] {where}"  # noqa: S608
    undo = "UPDATE deliveries d SET fingerprints = p.fingerprints FROM planted p"
    await hands.sql(world, "delivery", keep, plant)
    try:
        yield
    finally:
        end = f"{undo} WHERE d.line_id = p.line_id"
        await hands.sql(world, "delivery", end, "DROP TABLE planted")


async def age_exchange_rate(world: World) -> None:
    """The bank has published nothing for six days."""
    statement = "UPDATE exchange_rates SET rated_at = now() - interval '6 days'"
    await hands.sql(world, "fulfillment-kinguin", statement)


@asynccontextmanager
async def aged_offers(world: World) -> AsyncIterator[None]:
    """Kinguin answered for its offers three hours ago, and will be asked in an hour."""
    followed = "WHERE due_at IS NOT NULL"
    age = "seen_at = now() - interval '3 hours', due_at = now() + interval '1 hour'"
    await hands.sql(world, "fulfillment-kinguin", f"UPDATE followed_offers SET {age} {followed}")  # noqa: S608  no input
    try:
        yield
    finally:
        look = f"UPDATE followed_offers SET due_at = now() {followed}"  # noqa: S608  no input
        await hands.sql(world, "fulfillment-kinguin", look)


@asynccontextmanager
async def held_jobs(world: World, service: str, kind: str) -> AsyncIterator[None]:
    """A session that forgot its transaction keeps the service from its jobs of a kind."""
    bring_forward = "UPDATE jobs SET due_at = now() + interval '1 second' WHERE kind = $1"
    url = world.stack[f"{service.replace('-', '_').upper()}_DATABASE_URL"]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"{bring_forward} AND lease_until IS NULL", kind)
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM jobs WHERE kind = $1 FOR UPDATE", kind)
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def no_connections(world: World, service: str) -> AsyncIterator[None]:
    """The database role of a service loses its connections and may open none."""
    url, role = world.parts.postgres_part.url, service.replace("-", "_")
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"  # noqa: S608  a name of ours
    limit = f'ALTER ROLE "{role}" CONNECTION LIMIT '
    await asyncio.to_thread(run_sql, url, f"{limit} 0", end)
    try:
        yield
    finally:
        await asyncio.to_thread(run_sql, url, f"{limit} -1")


@asynccontextmanager
async def _again_and_again(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def for_ever() -> None:
        while True:
            await work()

    async with meanwhile(for_ever()):
        yield
