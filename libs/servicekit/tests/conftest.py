"""Databases with the runtime's tables."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from foundation.testing import FixedClock
from pydantic import SecretStr
from servicekit.database import Database
from servicekit.migrations import create_runtime_tables
from sqlalchemy import Connection, text


class _Operations:
    """What a migration needs of alembic's `op`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_bind(self) -> Connection:
        return self._connection

    def execute(self, statement: str) -> None:
        self._connection.execute(text(statement))


@pytest.fixture(scope="session")
def runtime_template(new_database: Callable[..., str]) -> str:
    url = new_database()

    async def create() -> None:
        database = Database.connect(SecretStr(url))
        async with database.transaction() as transaction:
            await transaction.run_sync(lambda sync: create_runtime_tables(_Operations(sync)))
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
