"""Every service's schema: made from nothing, undone, made again, and what the code says."""

import asyncio
from collections.abc import Callable
from importlib import import_module

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from persistence.database import Database
from persistence.migrations import SchemaMismatch, check_schema, migrate
from persistence.tables import metadata as runtime_metadata
from pydantic import SecretStr

PACKAGES = ("payments", "orders", "fulfillment_custom", "fulfillment_kinguin", "delivery")
pytestmark = [pytest.mark.component, pytest.mark.parametrize("package", PACKAGES)]


@pytest.fixture
def url(new_database: Callable[..., str]) -> SecretStr:
    return SecretStr(new_database())


def differences(connection: sa.Connection, package: str) -> list[object]:
    tables = import_module(f"{package}.adapters.tables").metadata
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    both = [runtime_metadata, tables]
    return list(compare_metadata(context, both))  # type: ignore[arg-type]  # takes several, too


async def test_models_match_the_newest_schema(package: str, url: SecretStr) -> None:
    await asyncio.to_thread(lambda: asyncio.run(migrate(package, url)))

    database = Database.connect(url)
    async with database.engine.connect() as connection:
        found = await connection.run_sync(differences, package)
    await database.dispose()

    assert found == []


async def test_schema_can_be_undone_and_made_again(package: str, url: SecretStr) -> None:
    for revision in ("head", "base", "head"):
        await migrate(package, url, revision)

    database = Database.connect(url)
    await check_schema(package, database)
    await database.dispose()


async def test_code_refuses_a_database_without_its_schema(package: str, url: SecretStr) -> None:
    database = Database.connect(url)

    with pytest.raises(SchemaMismatch, match=f"python -m {package} migrate"):
        await check_schema(package, database)
    await database.dispose()


async def test_code_before_a_step_that_does_not_break_runs_on(package: str, url: SecretStr) -> None:
    await migrate(package, url)
    await become(url, "a newer one")

    database = Database.connect(url)
    await check_schema(package, database)
    await migrate(package, url)  # what a rollback does again
    await database.dispose()


async def test_code_before_a_step_that_breaks_refuses(package: str, url: SecretStr) -> None:
    await migrate(package, url)
    await become(url, "a newer one", fits=False)

    database = Database.connect(url)
    for work in (check_schema(package, database), migrate(package, url)):
        with pytest.raises(SchemaMismatch, match="run the version that migrated it"):
            await work
    await database.dispose()


async def become(url: SecretStr, revision: str, *, fits: bool = True) -> None:
    """What a newer version's migration leaves behind."""
    database = Database.connect(url)
    async with database.transaction() as transaction:
        await transaction.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
        if not fits:
            await transaction.execute(sa.text("DELETE FROM schema_fits"))
    await database.dispose()
