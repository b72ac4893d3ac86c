"""A TCP proxy that spoils what passes: slow, silent, cut short, reset, or answered by itself.

It runs in a thread of its own, so that a stack can be started through it. Faults are set
while connections are open and hold for the next bytes of each; the lot decides per request.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_CHUNK: Final = 64 * 1024
_LOOPBACK: Final = "127.0.0.1"
# Long enough for the server to do what it was asked before it can notice the end.
_EXECUTE_S: Final = 0.05
_LINGER_S: Final = 0.2
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Toxics:
    """What happens to bytes on their way; each is off by default.

    `share` of the requests suffer, from 0 to 1. `answer` is sent instead of asking the
    server. `reset_after` resets once a request that holds these bytes has been passed on.
    """

    share: float = 1.0
    is_down: bool = False
    is_silent: bool = False
    latency_s: float = 0.0
    bytes_per_s: float | None = None
    slow_close_s: float = 0.0
    limit_bytes: int | None = None
    reset_after_s: float | None = None
    reset_on_reply: bool = False
    reset_after: bytes | None = None
    answer: bytes | None = None


CLEAN: Final = Toxics()


class _Reset(Exception):
    """End the connection with RST."""


class _Close(Exception):
    """End the connection with FIN."""


@dataclass
class TcpProxy:
    """Listens on `port` of the loopback and passes on to `target`."""

    target: tuple[str, int]
    dice: random.Random
    port: int = 0
    toxics: Toxics = CLEAN
    passed: int = 0
    _open: set["_Connection"] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, _LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and reset what is open."""
        if self._server is not None:
            self._server.close()
        self.reset_all()
        while self._open:  # noqa: ASYNC110  they notice one by one
            await asyncio.sleep(0)

    def reset_all(self) -> None:
        """Reset every open connection."""
        for connection in list(self._open):
            connection.reset()

    def draw(self) -> Toxics:
        """The faults of one request."""
        toxics = self.toxics
        return toxics if self.dice.random() < toxics.share else CLEAN

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.toxics.is_down:
            _reset(writer)
            return
        try:
            server = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(writer)
            return
        connection = _Connection(self, reader, writer, *server)
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)


class _Connection:
    """One client and its way to the server."""

    def __init__(
        self,
        proxy: TcpProxy,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._client, self._to_client = client, to_client
        self._server, self._to_server = server, to_server
        self._now = proxy.draw()
        self._given = 0

    async def run(self) -> None:
        """Pass bytes both ways until one side ends."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._requests(), self._replies(), self._reset_in_time())
        ]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        is_reset = any(isinstance(task.exception(), _Reset | ConnectionError) for task in done)
        await self._end(is_reset=is_reset)

    def reset(self) -> None:
        """End it at once, on both sides."""
        _reset(self._to_client)
        _reset(self._to_server)

    async def _end(self, *, is_reset: bool) -> None:
        if is_reset:
            self.reset()
            return
        await asyncio.sleep(self._now.slow_close_s)
        for writer in (self._to_client, self._to_server):
            with contextlib.suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()

    async def _requests(self) -> None:
        while chunk := await self._client.read(_CHUNK):
            self._now = toxics = self._proxy.draw()
            if toxics.answer is not None:
                await self._answer(toxics.answer)
            if toxics.is_silent:
                continue
            await self._pass(chunk, self._to_server, toxics)
            if toxics.reset_after is not None and toxics.reset_after in chunk:
                await asyncio.sleep(_EXECUTE_S)
                raise _Reset

    async def _answer(self, answer: bytes) -> None:
        self._to_client.write(answer)
        await self._to_client.drain()
        # Unread bytes would turn the end into a reset that overtakes the answer.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while await self._client.read(_CHUNK):
                    pass
        raise _Close

    async def _replies(self) -> None:
        while chunk := await self._server.read(_CHUNK):
            toxics = self._now
            if toxics.reset_on_reply:
                raise _Reset
            if toxics.is_silent or self._proxy.toxics.is_silent:
                continue
            await self._pass(self._within_limit(chunk, toxics), self._to_client, toxics)
            if toxics.limit_bytes is not None and self._given >= toxics.limit_bytes:
                raise _Close

    def _within_limit(self, chunk: bytes, toxics: Toxics) -> bytes:
        if toxics.limit_bytes is None:
            return chunk
        left = chunk[: max(toxics.limit_bytes - self._given, 0)]
        self._given += len(left)
        return left

    async def _pass(self, chunk: bytes, to: asyncio.StreamWriter, toxics: Toxics) -> None:
        wait_s = toxics.latency_s
        if toxics.bytes_per_s is not None:
            wait_s += len(chunk) / toxics.bytes_per_s
        if wait_s:
            await asyncio.sleep(wait_s)
        to.write(chunk)
        await to.drain()
        self._proxy.passed += len(chunk)

    async def _reset_in_time(self) -> None:
        after_s = self._now.reset_after_s
        if after_s is None:
            await asyncio.Event().wait()
            return
        await asyncio.sleep(after_s)
        raise _Reset


def _reset(writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    if plain is not None:
        with contextlib.suppress(OSError):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


class ProxyHost:
    """A thread with an event loop, where proxies and stand-in servers run."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._proxies: list[TcpProxy] = []

    @classmethod
    @contextmanager
    def running(cls, dice: random.Random) -> Iterator["ProxyHost"]:
        """A host whose proxies end with it."""
        host = cls(dice)
        host._thread.start()
        try:
            yield host
        finally:
            for proxy in host._proxies:
                host.run(proxy.stop())
            host.loop.call_soon_threadsafe(host.loop.stop)
            host._thread.join()
            host.loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of `work` on the host's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def proxy(self, host: str, port: int) -> TcpProxy:
        """A proxy in front of a server, on a free port."""
        proxy = TcpProxy((host, port), self._dice)
        self._proxies.append(proxy)
        self.run(proxy.start())
        return proxy

    def set(self, proxy: TcpProxy, toxics: Toxics) -> None:
        """Change what a proxy does; one that goes down resets what is open."""
        proxy.toxics = toxics
        if toxics.is_down:
            self.loop.call_soon_threadsafe(proxy.reset_all)
