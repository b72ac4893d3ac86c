"""Version 1 as it was released, and the steps after it, are what the code expects."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from persistence.database import Database
from persistence.tables import metadata


def differences(connection: sa.Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


async def test_every_version_in_turn_gives_the_tables_of_the_code(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_there_is_one_lease_for_the_relay_and_never_another(database: Database) -> None:
    async with database.transaction() as transaction:
        rows = await transaction.scalars(sa.text("SELECT id FROM outbox_lease"))

        assert list(rows) == [1]
