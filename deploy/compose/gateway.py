"""Lead connections to published ports on to services, whichever replica answers.

`gateway.py 8001=payments:8000 ...`: a connection to port 8001 goes to a random address of those
that the name `payments` has at that moment; one that refuses is passed over. So the services have
no port on the host, and any of them can have several containers. Development only: it speaks no
TLS and adds no header. The standard library only.
"""

import asyncio
import random
import signal
import sys
from dataclasses import dataclass

CHUNK_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Route:
    """A port here, and the name and port it leads to."""

    port: int
    host: str
    host_port: int

    @classmethod
    def parse(cls, text: str) -> "Route":
        """Read `8001=payments:8000`.

        Raises:
            ValueError: another form.
        """
        port, _, target = text.partition("=")
        host, _, host_port = target.partition(":")
        if not host:
            raise ValueError(f"must look like 8001=payments:8000, not {text!r}")
        return cls(int(port), host, int(host_port))


async def main(routes: list[Route]) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers = [await serve(route) for route in routes]
    await stop.wait()
    for server in servers:
        server.close()


async def serve(route: Route, address: str = "0.0.0.0") -> asyncio.Server:
    """Listen on the route's port; in a container on every address, so that it can be published."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await connect(route)
        except OSError as error:
            sys.stderr.write(f"{route.host}: nobody answers ({error})\n")
            writer.close()
            return
        try:
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        finally:
            inner_writer.close()
            writer.close()

    return await asyncio.start_server(lead, address, route.port)


async def connect(route: Route) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to one replica, tried in random order.

    Raises:
        OSError: the name is unknown, or none of its addresses takes a connection.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(route.host, route.host_port, type=1)
    addresses = list({str(entry[4][0]) for entry in found})
    random.shuffle(addresses)
    failure: OSError = ConnectionError("no address")
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await asyncio.open_connection(address, route.host_port)
        except OSError as error:
            failure = error
    raise failure


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, then end the other side's input."""
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # A peer that went away is daily life here: the other direction ends with this one.
        writer.close()


if __name__ == "__main__":
    asyncio.run(main([Route.parse(text) for text in sys.argv[1:]]))
