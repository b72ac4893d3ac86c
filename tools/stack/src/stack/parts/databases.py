"""Databases and their owners on a PostgreSQL server, from synchronous code.

One role and one database of the same name for each service: nothing reads another's.
"""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg

_CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Login:
    """A role and its password; the role owns the database of the same name."""

    role: str
    password: str


def database_url(address: str, login: Login, database: str | None = None) -> str:
    """The URL of a database (by default the login's own) at `address`, a host and port."""
    user = f"{login.role}:{quote(login.password, safe='')}"
    return f"postgresql://{user}@{address}/{database or login.role}"


def ensure_database(superuser_url: str, login: Login) -> str:
    """Create the login and its database where they are missing; its URL."""
    role = f'"{login.role}"'
    password = login.password.replace("'", "''")
    run_sql(
        superuser_url,
        f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"ALTER ROLE {role} LOGIN PASSWORD '{password}'",
    )
    url = database_url(_address(superuser_url), login)
    if not answers(url):
        run_sql(
            superuser_url,
            f"CREATE DATABASE {role} OWNER {role}",
            f"REVOKE ALL ON DATABASE {role} FROM PUBLIC",
        )
    return url


def create_database(superuser_url: str, template: str | None = None) -> str:
    """Create a database under a new name, empty or a copy of the one at the URL `template`.

    Nobody may be connected to the template meanwhile.
    """
    name = f"test_{uuid.uuid4().hex[:12]}"
    source = urlsplit(template).path[1:] if template else "template0"
    run_sql(superuser_url, f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return urlsplit(superuser_url)._replace(path=f"/{name}").geturl()


def run_sql(url: str, *statements: str) -> None:
    """Run `statements` one by one, each its own transaction.

    Raises:
        OSError, asyncpg.PostgresError: the server does not answer, or refuses a statement.
    """
    # A thread of its own: asyncio.run refuses to work where a loop runs already.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(lambda: asyncio.run(_run(url, statements))).result()


def answers(url: str) -> bool:
    """Whether a server takes connections at `url`."""
    try:
        run_sql(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    return True


async def _run(url: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_S)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _address(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
