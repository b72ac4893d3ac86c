"""Migrations: from nothing to the newest schema and back, and the tables fit the code."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fulfillment_kinguin.adapters.tables import metadata
from persistence.database import Database
from persistence.migrations import check_schema, migrate
from persistence.tables import metadata as runtime_metadata
from pydantic import SecretStr

pytestmark = pytest.mark.integration
PACKAGE = "fulfillment_kinguin"


async def test_schema_goes_up_down_and_up_again(new_database: Callable[..., str]) -> None:
    url = SecretStr(new_database())
    database = Database.connect(url)

    for revision in ("head", "base", "head"):
        await migrate(PACKAGE, url, revision)

    await check_schema(PACKAGE, database)
    await database.dispose()


async def test_tables_of_the_code_are_those_of_the_schema(
    new_database: Callable[..., str], template: str
) -> None:
    database = Database.connect(SecretStr(new_database(template=template)))

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        everything = sa.MetaData()
        for part in (runtime_metadata, metadata):
            for table in part.tables.values():
                table.to_metadata(everything)
        return list(compare_metadata(context, everything))

    async with database.transaction() as transaction:
        found = await transaction.run_sync(differences)

    assert found == []
    await database.dispose()
