"""Open client connections by address, so that one can be cut without an answer."""

import asyncio

from starlette.types import Receive, Scope

open_transports: dict[tuple[str, int], asyncio.Transport] = {}


class ConnectionCut(ConnectionError):
    """No transport is known: the app runs without its own server, inside a test."""


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the request's connection; return when the server has noticed.

    Raises:
        ConnectionCut: the app is not served by `kinguin_simulator.server`.
    """
    transport = open_transports.get(tuple(scope["client"] or ()))
    if transport is None:
        raise ConnectionCut("the answer is lost on purpose")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
