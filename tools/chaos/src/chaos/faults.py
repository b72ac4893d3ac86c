"""How each fault is made and taken back: every function gives a context to be in meanwhile."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from stack.errors import PartFailed
from stack.parts.databases import run_sql

from chaos.mail_faults import MailFault
from chaos.meanwhile import meanwhile
from chaos.tcp_proxy import Toxics
from chaos.world import World

Fault = Callable[[World], AbstractAsyncContextManager[None]]
_FAKETIME: Final = "*/faketime/libfaketime.so.1"
_BETWEEN_JUMPS_S: Final = 3.0


class CannotBeMade(Exception):
    """This machine lacks what the fault needs; the text says what to install."""


class NotNoticed(Exception):
    """A process serves that must not; the text says which."""


def no_fault() -> Fault:
    """Nothing is wrong with the machines: the customers or the gateway are."""

    @asynccontextmanager
    async def during(_world: World) -> AsyncIterator[None]:
        yield

    return during


def ended(service: str, number: signal.Signals) -> Fault:
    """A service is ended by a signal, and started again by its supervisor."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        world.living(service).signal_group(number)
        yield

    return during


def zombie(service: str, told: Mapping[str, str] | None = None) -> Fault:
    """A service stands still, another process of it takes over, and then it wakes up.

    `told` is what that other process is told otherwise.
    """

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        async with world.replica(service, told):
            paused = world.living(service)
            paused.signal_group(signal.SIGSTOP)
            try:
                yield
            finally:
                paused.signal_group(signal.SIGCONT)

    return during


def refused_to_start(
    service: str, told: Callable[[World], Mapping[str, str]], because: str
) -> Fault:
    """A second process of a service that cannot work rightly is started: it must say so and end."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        try:
            async with world.replica(service, told(world)):
                pass
        except PartFailed as refusal:
            if because not in str(refusal):
                raise
        else:
            raise NotNoticed(f"{service} serves")
        yield

    return during


def spoilt(proxy: str, toxics: Toxics) -> Fault:
    """What passes a proxy is spoilt."""

    def during(world: World) -> AbstractAsyncContextManager[None]:
        return world.toxic(proxy, toxics)

    return during


def simulator(name: str, **faults: Any) -> Fault:
    """A simulator's own faults."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        await world.simulator(name, **faults)
        try:
            yield
        finally:
            await world.simulator(name)

    return during


def refused_mail(fault: MailFault) -> Fault:
    """The mail server refuses, or lies."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        world.parts.mail_server.fault = fault
        try:
            yield
        finally:
            world.parts.mail_server.fault = MailFault()

    return during


def kafka_away(*, at_once: bool) -> Fault:
    """The broker is shut down, or killed, and started again at the end."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        broker = world.parts.broker
        await asyncio.to_thread(lambda: broker.stop(at_once=at_once))
        try:
            yield
        finally:
            await asyncio.to_thread(broker.start)

    return during


def kafka_paused() -> Fault:
    """The broker stands still: connections stay open and nothing answers."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        broker = world.living("kafka")
        broker.signal_group(signal.SIGSTOP)
        try:
            yield
        finally:
            broker.signal_group(signal.SIGCONT)

    return during


def postgres_away(*, at_once: bool) -> Fault:
    """The database server is shut down, or crashes, and is started again at the end."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        server = world.parts.postgres_part
        await asyncio.to_thread(lambda: server.stop(at_once=at_once))
        try:
            yield
        finally:
            await asyncio.to_thread(server.start)

    return during


def too_few_connections(service: str) -> Fault:
    """The database role of a service may open one connection only, and loses those it has."""
    role = service.replace("-", "_")

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        url = world.parts.postgres_part.url
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"  # noqa: S608  a name of ours
        limit = f'ALTER ROLE "{role}" CONNECTION LIMIT '
        await asyncio.to_thread(run_sql, url, f"{limit} 1", end)
        try:
            yield
        finally:
            await asyncio.to_thread(run_sql, url, f"{limit} -1")

    return during


def clock_off(service: str, seconds: int) -> Fault:
    """A second process of a service works with a clock that is so many seconds ahead."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        async with world.replica(service, _with_faketime({"FAKETIME": f"{seconds:+d}"})):
            yield

    return during


def clock_far_off(service: str, seconds: int) -> Fault:
    """A second process of a service is started with a clock that is off by too much to work."""

    def told(_world: World) -> Mapping[str, str]:
        return _with_faketime({"FAKETIME": f"{seconds:+d}"})

    return refused_to_start(service, told, "set both by NTP")


def clock_jumps(service: str, seconds: int) -> Fault:
    """A second process of a service works with a clock that is set forth and back all the time."""

    async def jump(file: Path) -> None:
        for ahead in cycle((seconds, -seconds, 0)):
            await asyncio.to_thread(file.write_text, f"{ahead:+d}\n")
            await asyncio.sleep(_BETWEEN_JUMPS_S)

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        file = world.stack.folder / "clock"
        file.write_text("+0\n")
        clock = {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
        async with world.replica(service, _with_faketime(clock)), meanwhile(jump(file)):
            yield

    return during


def _with_faketime(clock: Mapping[str, str]) -> Mapping[str, str]:
    library = next(Path("/usr/lib").glob(_FAKETIME), None)
    if library is None:
        raise CannotBeMade("libfaketime is not installed: apt-get install libfaketime")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # nobody's timers jump when a clock is set
        **clock,
    }


def rebalance_storm(service: str) -> Fault:
    """A second consumer joins and leaves again and again."""

    async def come_and_go(world: World) -> None:
        while True:
            async with world.replica(service):
                await asyncio.sleep(3)
            await asyncio.sleep(1)

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        async with meanwhile(come_and_go(world)):
            yield

    return during
