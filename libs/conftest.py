"""Databases with the runtime's tables."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from foundation.testing import FixedClock
from persistence.database import Database
from persistence.migrations import create_operator_log, create_runtime_tables, index_inbox_by_age
from persistence.tables import schema_fits
from pydantic import SecretStr
from sqlalchemy import Connection, text


class _Operations:
    """What a migration needs of alembic's `op`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> None:
        self._connection.execute(text(statement))


def _create_tables(connection: Connection) -> None:
    operations = _Operations(connection)
    create_runtime_tables(operations)
    index_inbox_by_age(operations)
    create_operator_log(operations)
    schema_fits.create(connection)  # as each run of the migrations does


@pytest.fixture(scope="session")
def runtime_template(new_database: Callable[..., str]) -> str:
    url = new_database()

    async def create() -> None:
        database = Database.connect(SecretStr(url))
        async with database.transaction() as transaction:
            await transaction.run_sync(_create_tables)
        await database.dispose()

    asyncio.run(create())
    return url


@pytest.fixture
def database_url(new_database: Callable[..., str], runtime_template: str) -> SecretStr:
    return SecretStr(new_database(template=runtime_template))


@pytest.fixture
async def database(database_url: SecretStr) -> AsyncIterator[Database]:
    database = Database.connect(database_url)
    yield database
    await database.dispose()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
