"""A database's backup, as PostgreSQL's own programs take it and bring it back."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from stack.errors import StackError
from stack.parts.databases import run_sql
from stack.parts.postgres import environment, program
from stack.processes import run_to_end

_DEADLINE_S = 300.0


def back_up(superuser_url: str, database: str, file: Path) -> None:
    """Write a database into a file, as it is at one moment.

    Raises:
        StackError: the database cannot be read.
    """
    _run("pg_dump", superuser_url, database, "--format=custom", f"--file={file}")


def restore(superuser_url: str, database: str, file: Path) -> None:
    """Put a backup in the place of a database, whose owner has its name; who is in it is put out.

    Raises:
        StackError: the backup cannot be read.
        asyncpg.PostgresError: the database cannot be replaced.
    """
    run_sql(
        superuser_url,
        f'DROP DATABASE "{database}" WITH (FORCE)',
        f'CREATE DATABASE "{database}" OWNER "{database}" TEMPLATE template0',
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
    )
    _run("pg_restore", superuser_url, database, "--exit-on-error", str(file))


def _run(name: str, superuser_url: str, database: str, *arguments: str) -> None:
    server = urlsplit(superuser_url)
    where = (f"--host={server.hostname}", f"--port={server.port}", f"--username={server.username}")
    done = run_to_end(
        [str(program(name)), *where, f"--dbname={database}", *arguments],
        deadline_s=_DEADLINE_S,
        # Everybody on the machine can read arguments.
        environment=environment() | {"PGPASSWORD": unquote(server.password or "")},
    )
    if done.returncode != 0:
        raise StackError(f"{name} failed: {done.stderr.strip()[-500:]}")
