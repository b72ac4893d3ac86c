"""Each fault of the proxy does what it says, to a server that answers every line in capitals."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from chaos.tcp_proxy import CLEAN, ProxyHost, TcpProxy, Toxics

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


def a_die() -> random.Random:
    return random.Random(1)  # noqa: S311  repeatable, no secret


class Shouter:
    """The server behind the proxy; `heard` is what reached it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.heard.append(line)
            writer.write(line.upper())
            await writer.drain()
        writer.close()


@pytest.fixture
def shouter() -> Shouter:
    return Shouter()


@pytest.fixture
async def proxy(shouter: Shouter) -> AsyncIterator[TcpProxy]:
    server = await asyncio.start_server(shouter, "127.0.0.1", 0)
    found = TcpProxy(server.sockets[0].getsockname()[:2], a_die())
    await found.start()
    yield found
    await found.stop()
    server.close()


@asynccontextmanager
async def connected(proxy: TcpProxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.close()


async def ask(streams: Streams, line: bytes = b"hello\n") -> bytes:
    reader, writer = streams
    writer.write(line)
    await writer.drain()
    async with asyncio.timeout(5):
        return await reader.readline()


async def test_without_a_fault_everything_passes(proxy: TcpProxy) -> None:
    async with connected(proxy) as streams:
        assert await ask(streams) == b"HELLO\n"


async def test_latency_slows_both_ways(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(latency_s=0.1)
    begin = time.monotonic()
    async with connected(proxy) as streams:
        assert await ask(streams) == b"HELLO\n"
    assert time.monotonic() - begin >= 0.2


async def test_bandwidth_slows_by_size(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(bytes_per_s=5_000)
    begin = time.monotonic()
    async with connected(proxy) as streams:
        await ask(streams, b"x" * 999 + b"\n")
    assert time.monotonic() - begin >= 0.4


async def test_down_resets_open_connections_and_new_ones(proxy: TcpProxy) -> None:
    async with connected(proxy) as old:
        await ask(old)
        proxy.toxics = Toxics(is_down=True)
        proxy.reset_all()
        with pytest.raises(ConnectionResetError):
            await ask(old)
    async with connected(proxy) as new:
        with pytest.raises(ConnectionResetError):
            await ask(new)


async def test_what_was_down_comes_back(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(is_down=True)
    proxy.toxics = CLEAN
    async with connected(proxy) as streams:
        assert await ask(streams) == b"HELLO\n"


async def test_silence_passes_nothing(proxy: TcpProxy, shouter: Shouter) -> None:
    proxy.toxics = Toxics(is_silent=True)
    async with connected(proxy) as (reader, writer):
        writer.write(b"hello\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.readline()
    assert shouter.heard == []


async def test_reset_in_time(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(reset_after_s=0.1)
    async with connected(proxy) as (reader, _):
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(5):
                await reader.read()


async def test_reset_on_reply_lets_the_server_work_first(proxy: TcpProxy, shouter: Shouter) -> None:
    proxy.toxics = Toxics(reset_on_reply=True)
    async with connected(proxy) as streams:
        with pytest.raises(ConnectionResetError):
            await ask(streams)
    assert shouter.heard == [b"hello\n"]


async def test_reset_after_certain_bytes_only(proxy: TcpProxy, shouter: Shouter) -> None:
    proxy.toxics = Toxics(reset_after=b"COMMIT")
    async with connected(proxy) as streams:
        assert await ask(streams, b"begin\n") == b"BEGIN\n"
        streams[1].write(b"COMMIT\n")
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(5):
                await streams[0].readuntil(b"never")
    assert shouter.heard == [b"begin\n", b"COMMIT\n"]


async def test_limit_cuts_the_answer_short(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(limit_bytes=3)
    async with connected(proxy) as streams:
        assert await ask(streams) == b"HEL"


async def test_slow_close_keeps_the_client_waiting(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(limit_bytes=3, slow_close_s=0.3)
    begin = time.monotonic()
    async with connected(proxy) as streams:
        await ask(streams)
    assert time.monotonic() - begin >= 0.3


async def test_own_answer_reaches_no_server(proxy: TcpProxy, shouter: Shouter) -> None:
    proxy.toxics = Toxics(answer=b"no\n")
    async with connected(proxy) as streams:
        assert await ask(streams) == b"no\n"
    assert shouter.heard == []


async def test_a_share_of_the_requests_suffers(proxy: TcpProxy) -> None:
    proxy.toxics = Toxics(share=0.3, answer=b"no\n")
    answers = []
    for _ in range(100):
        async with connected(proxy) as streams:
            answers.append(await ask(streams))
    assert 15 <= answers.count(b"no\n") <= 45
    assert set(answers) == {b"no\n", b"HELLO\n"}


async def test_a_host_runs_proxies_in_a_thread_and_ends_them(shouter: Shouter) -> None:
    server = await asyncio.start_server(shouter, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with ProxyHost.running(a_die()) as host:
        proxy = await asyncio.to_thread(host.proxy, "127.0.0.1", port)
        async with connected(proxy) as streams:
            assert await ask(streams) == b"HELLO\n"
            host.set(proxy, Toxics(is_down=True))
            with pytest.raises(ConnectionResetError):
                async with asyncio.timeout(5):
                    await streams[0].read()
        port = proxy.port
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    server.close()
