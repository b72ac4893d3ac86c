"""The databases of a deployment, as commands use them.

`<SERVICE>_DATABASE_URL` names each; one connection is enough for a command.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from persistence.database import Database
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from bitloot_cli.deployment import prefix
from bitloot_cli.failure import fail

T = TypeVar("T")

Databases = Mapping[str, Database]

_UNUSABLE = 2


def database_urls(variables: Mapping[str, str], services: Iterable[str]) -> dict[str, SecretStr]:
    """Where the database of each service is.

    Raises:
        typer.Exit: a variable is not set; the message names it.
    """
    names = {service: f"{prefix(service)}DATABASE_URL" for service in services}
    missing = [name for name in names.values() if not variables.get(name)]
    if missing:
        needed = ", ".join(missing)
        fail(f"set {needed}, or name a file that does: --env-file .stack/stack.env", code=_UNUSABLE)
    return {service: SecretStr(variables[name]) for service, name in names.items()}


def on_databases(
    variables: Mapping[str, str],
    services: Iterable[str],
    work: Callable[[Databases], Awaitable[T]],
) -> T:
    """What the work gives; it has the databases by their services' names.

    Raises:
        typer.Exit: a variable is not set, or a database cannot be used.
    """
    urls = database_urls(variables, services)

    async def run() -> T:
        async with _connected(urls) as databases:
            return await work(databases)

    try:
        return asyncio.run(run())
    except (OSError, DBAPIError) as error:
        reason = str(error).partition("\n")[0]
        named = ", ".join(f"{prefix(service)}DATABASE_URL" for service in urls)
        fail(f"a database cannot be used ({named}): {reason}", code=_UNUSABLE)


@asynccontextmanager
async def _connected(urls: Mapping[str, SecretStr]) -> AsyncIterator[Databases]:
    async with AsyncExitStack() as stack:
        databases = {service: Database.connect(url, pool_size=1) for service, url in urls.items()}
        for database in databases.values():
            stack.push_async_callback(database.dispose)
        yield databases
