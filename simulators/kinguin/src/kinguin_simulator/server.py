"""Take the port, then serve: a busy port is one plain line and exit code 2.

The HTTP protocol class lets a request be cut off without an answer, which
plain ASGI cannot ask for: that is how an answer gets lost after the work.
"""

import asyncio
import errno
import socket
import sys
from typing import NoReturn

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from kinguin_simulator.app import create_app
from kinguin_simulator.connections import open_transports
from kinguin_simulator.journal import StateUnreadable
from kinguin_simulator.options import ENVIRONMENT_PREFIX, Options

SHUTDOWN_DEADLINE_S = 2


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that remembers each client's connection while it is open."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Remember the connection by its client's address."""
        super().connection_made(transport)
        if self.client is not None:
            open_transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self.client is not None:
            open_transports.pop(self.client, None)
        super().connection_lost(exc)


def serve(options: Options) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        SystemExit: code 2 when the port or the state file cannot be used.
    """
    try:
        listener = _listen(options.host, options.port)
        app = create_app(options)
    except OSError as error:
        _give_up(_why_not(options, error))
    except StateUnreadable as error:
        _give_up(str(error))
    port = listener.getsockname()[1]
    print(f"kinguin simulator: http://{options.host}:{port}/esa/api", flush=True)  # noqa: T201 - says where it listens
    uvicorn.Server(_uvicorn_config(app, options)).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def _why_not(options: Options, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {options.port} on {options.host} is in use: stop what listens there, "
            f"or choose another with --port or {ENVIRONMENT_PREFIX}PORT"
        )
    return f"cannot start on {options.host}:{options.port}: {error.strerror or error}"


def _give_up(reason: str) -> NoReturn:
    print(f"kinguin simulator: {reason}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
    raise SystemExit(2)


def _uvicorn_config(app: object, options: Options) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's ASGI types are narrower than FastAPI's
        http=CuttableProtocol,
        log_level="info" if options.access_log else "warning",
        access_log=options.access_log,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_DEADLINE_S,
        lifespan="on",
    )
