"""The roles of the cluster are enough for a service and no more, on a real PostgreSQL."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from persistence.migrations import migrate
from pydantic import SecretStr
from stack.plan import SERVICES_WITH_DATABASE

# One worker: the roles belong to the server that all workers share.
pytestmark = [pytest.mark.component, pytest.mark.xdist_group("roles")]

Manifest = dict[str, Any]
PASSWORD = "a-password-for-tests"


def managed_roles(manifests: list[Manifest]) -> dict[str, list[str]]:
    """The roles of the cluster with those that each is a member of."""
    [cluster] = [
        it for it in manifests if it["kind"] == "Cluster" and it["apiVersion"].startswith("post")
    ]
    return {role["name"]: role.get("inRoles", []) for role in cluster["spec"]["managed"]["roles"]}


def url_as(url: str, role: str) -> str:
    """The same database, opened by another role."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{PASSWORD}@{address}").geturl()


async def create(url: str, roles: dict[str, list[str]], owner: str) -> str:
    """The roles as the operator makes them, and the database of one; its name."""
    admin = await asyncpg.connect(url)
    name = await admin.fetchval("SELECT current_database()")
    for role, groups in roles.items():
        exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        if not exists:
            member = f" IN ROLE {', '.join(groups)}" if groups else ""
            await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'{member}")
    await admin.execute(f'ALTER DATABASE "{name}" OWNER TO {owner}')
    await admin.close()
    return str(name)


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
async def test_service_works_with_rows_and_cannot_touch_a_table(
    overlays: dict[str, list[Manifest]], new_database: Callable[[], str], service: str
) -> None:
    role = service.replace("-", "_")
    url = new_database()
    await create(url, managed_roles(overlays["production"]), f"{role}_migrate")

    await migrate(role, SecretStr(url_as(url, f"{role}_migrate")))

    connection = await asyncpg.connect(url_as(url, role))
    await connection.execute("LISTEN outbox")
    await connection.execute("SELECT pg_advisory_xact_lock(1)")
    for table in await tables_of(connection):
        claim = f"SELECT * FROM {table} LIMIT 1 FOR UPDATE SKIP LOCKED"  # noqa: S608  our tables
        await connection.execute(claim)
        await connection.execute(f"DELETE FROM {table} WHERE false")  # noqa: S608  as above
    await connection.execute("UPDATE outbox_lease SET held_until = now()")
    await connection.execute(
        "INSERT INTO outbox (message_id, topic, key, body) "
        "VALUES (gen_random_uuid(), 'key.ready', 'k', 'b')"
    )
    for statement in ("CREATE TABLE own (a int)", "DROP TABLE jobs", "TRUNCATE outbox"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def tables_of(connection: Any) -> list[str]:
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [row["tablename"] for row in rows]


def test_every_service_has_a_role_for_rows_and_one_for_tables(
    overlays: dict[str, list[Manifest]],
) -> None:
    wanted: dict[str, list[str]] = {}
    for service in SERVICES_WITH_DATABASE:
        role = service.replace("-", "_")
        wanted |= {role: ["pg_read_all_data", "pg_write_all_data"], f"{role}_migrate": []}

    assert managed_roles(overlays["production"]) == wanted | {"verify": ["pg_read_all_data"]}


async def test_verification_reads_every_table_and_changes_none(
    overlays: dict[str, list[Manifest]], new_database: Callable[[], str]
) -> None:
    url = new_database()
    await create(url, managed_roles(overlays["production"]), "orders_migrate")
    await migrate("orders", SecretStr(url_as(url, "orders_migrate")))

    connection = await asyncpg.connect(url_as(url, "verify"))

    for table in await tables_of(connection):
        await connection.execute(f"SELECT * FROM {table} LIMIT 1")  # noqa: S608  our tables
        for change in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):  # noqa: S608  as above
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change)
    await connection.close()


def open_doors(manifests: list[Manifest]) -> list[str]:
    """Lines of pg_hba that let somebody into another's database, or in without TLS."""
    [cluster] = [
        it for it in manifests if it["kind"] == "Cluster" and it["apiVersion"].startswith("post")
    ]
    *lines, last = cluster["spec"]["postgresql"]["pg_hba"]
    names = [service.replace("-", "_") for service in SERVICES_WITH_DATABASE]
    wanted = [f"hostssl {name} {name},{name}_migrate all scram-sha-256" for name in names]
    wanted += [f"hostssl {','.join(names)} verify all scram-sha-256"]
    end = [] if last == "host all all all reject" else ["the last line does not reject"]
    return sorted(set(lines) ^ set(wanted)) + end


def test_service_opens_its_own_database_and_no_other(
    overlays: dict[str, list[Manifest]],
) -> None:
    assert [open_doors(overlays[name]) for name in ("dev", "staging", "production")] == [[], [], []]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.postgresql.pg_hba.+", "host all all all scram-sha-256"),
        ("spec.postgresql.pg_hba.5", None),
        ("spec.postgresql.pg_hba.0", "host payments payments all scram-sha-256"),
        ("spec.postgresql.pg_hba.0", "hostssl all payments all scram-sha-256"),
    ],
)
def test_open_door_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    assert open_doors(mutated("Cluster", "bitloot-postgres", path, value)) != []


def unsafe(manifests: list[Manifest]) -> list[str]:
    """How committed rows could be lost."""
    [spec] = [
        it["spec"]
        for it in manifests
        if it["kind"] == "Cluster" and it["apiVersion"].startswith("post")
    ]
    found = [] if spec["instances"] >= 3 else ["instances"]
    wanted = {"method": "any", "number": 1, "dataDurability": "required"}
    found += [] if spec["postgresql"].get("synchronous") == wanted else ["not in step"]
    found += ["superuser"] if spec.get("enableSuperuserAccess") else []
    archivers = [it["name"] for it in spec.get("plugins", []) if it.get("isWALArchiver")]
    found += [] if archivers == ["barman-cloud.cloudnative-pg.io"] else ["no archive"]
    found += ["backup of the old kind"] if "backup" in spec else []
    scheduled = [it for it in manifests if it["kind"] == "ScheduledBackup"]
    return found + ([] if scheduled else ["no backup"])


def test_production_loses_no_committed_row_with_one_instance(
    overlays: dict[str, list[Manifest]],
) -> None:
    assert unsafe(overlays["production"]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.instances", 1),
        ("spec.postgresql.synchronous", None),
        ("spec.postgresql.synchronous.dataDurability", "preferred"),
        ("spec.enableSuperuserAccess", True),
        ("spec.plugins", []),
        ("spec.plugins.0.isWALArchiver", False),
        ("spec.backup", {"barmanObjectStore": {"destinationPath": "s3://x"}}),
    ],
)
def test_unsafe_database_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    assert unsafe(mutated("Cluster", "bitloot-postgres", path, value)) != []
