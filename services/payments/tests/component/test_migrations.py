"""The schema goes up, down and up again, and equals what the code expects."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from payments.adapters.tables import metadata
from persistence.database import Database
from persistence.migrations import check_schema, migrate
from persistence.tables import metadata as runtime_metadata
from pydantic import SecretStr


async def test_schema_goes_up_down_and_up_again_and_fits_the_tables(
    new_database: Callable[..., str],
) -> None:
    url = SecretStr(new_database())
    for revision in ("head", "base", "head"):
        await migrate("payments", url, revision)
    database = Database.connect(url, pool_size=1)

    async with database.engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await check_schema("payments", database)
    await database.dispose()

    assert differences == []


def _differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found: list[object] = compare_metadata(context, [runtime_metadata, metadata])  # type: ignore[arg-type]  # a sequence is documented
    return found
