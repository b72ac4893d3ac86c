import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "deploy/compose/gateway.py"
LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def gateway() -> Any:
    spec = importlib.util.spec_from_file_location("gateway", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gateway"] = module  # a dataclass looks its module up by name
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def listening(answer: Callable[..., Any]) -> AsyncIterator[int]:
    server = await asyncio.start_server(answer, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


async def through(gateway: Any, target: int, sent: bytes) -> bytes:
    server = await gateway.serve(gateway.Route(0, LOOPBACK, target), LOOPBACK)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(sent)
        writer.write_eof()
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    return received


async def test_bytes_come_back_whole(gateway: Any) -> None:
    sent = b"x" * 1_000_000

    async with listening(echo) as port:
        assert await through(gateway, port, sent) == sent


async def test_connection_ends_when_nobody_answers(gateway: Any) -> None:
    async with listening(echo) as port:
        closed = port

    assert await through(gateway, closed, b"") == b""


@pytest.mark.parametrize("text", ["8001", "8001=", "8001=payments", "x=payments:8000"])
def test_route_of_another_form_is_refused(gateway: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"must look like|invalid literal"):
        gateway.Route.parse(text)
