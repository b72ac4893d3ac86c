"""The command line of every service: `python -m <package> serve | migrate`."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg
import uvicorn
from fastapi import FastAPI
from foundation.clock import SystemClock
from foundation.logging import configure_logging
from foundation.refusals import Refusal
from foundation.settings import (
    DatabaseSettings,
    HttpSettings,
    LogLevel,
    ServiceSettings,
    load_settings,
)
from foundation.telemetry import configure_telemetry
from persistence.clock_check import check_clock
from persistence.database import Database
from persistence.migrations import check_schema, migrate
from pydantic import Field
from sqlalchemy.exc import DBAPIError

S = TypeVar("S", bound=HttpSettings)

# Requests, then Kafka (12 s), then PostgreSQL (5 s): all within 25 s of SIGTERM.
_STOP_S = 5


def run(
    package: str,
    settings_class: type[S],
    build: Callable[[S], FastAPI],
    arguments: Sequence[str] | None = None,
    *,
    check: Callable[[S, Database], Awaitable[None]] | None = None,
) -> None:
    """Carry out one command; `check` is what the service itself looks at before it serves.

    Raises:
        SystemExit: with 2 for wrong settings, 1 for a busy port, a schema that does not fit, a
            clock that is off, or what `check` refuses.
    """
    has_database = issubclass(settings_class, ServiceSettings)
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=build.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service (settings come from the environment)")
    if has_database:
        commands.add_parser("migrate", help="bring the database to this version's schema")
    name = package.replace("_", "-")
    if parser.parse_args(arguments).command == "migrate":
        _migrate(package, name)
        return
    settings = load_settings(settings_class)
    configure_logging(name, settings.log_level)
    if isinstance(settings, ServiceSettings):
        _on_database(_check(package, settings, check))
    telemetry = configure_telemetry(name, settings.otel_exporter_otlp_endpoint)
    try:
        _serve(build(settings), settings)
    finally:
        telemetry.shutdown()


class _MigrationSettings(DatabaseSettings):
    """All that a migration needs: it runs as a role of its own, without the service's secrets."""

    log_level: LogLevel = Field(default="info", description="debug, info, warning or error")


def _migrate(package: str, name: str) -> None:
    settings = load_settings(_MigrationSettings)
    configure_logging(name, settings.log_level)
    _on_database(migrate(package, settings.database_url))


async def _check(
    package: str, settings: Any, check: Callable[[Any, Database], Awaitable[None]] | None
) -> None:
    database = Database.connect(settings.database_url, pool_size=1)
    try:
        await check_clock(database, SystemClock())
        await check_schema(package, database)
        if check:
            await check(settings, database)
    finally:
        await database.dispose()


def _on_database(work: Coroutine[Any, Any, None]) -> None:
    """Do it, or end with one plain line: what is wrong is not in this program."""
    try:
        asyncio.run(work)
    except Refusal as error:
        sys.exit(f"error: {error}")
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        reason = str(error).partition("\n")[0]
        sys.exit(f"error: PostgreSQL at DATABASE_URL cannot be used ({reason}): does it run?")


def _serve(app: FastAPI, settings: HttpSettings) -> None:
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(3)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(
            f"error: cannot listen on {host}:{port} ({error.strerror}): set PORT to a free one"
        )
    return listener
