"""PostgreSQL: the engine, the unit of work, and which failures pass by themselves.

A unit of work is one transaction; nothing else commits. Parameters never appear in
errors (`hide_parameters`), and every statement has a deadline.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from persistence import measures

Transaction = AsyncConnection
"""A connection inside a transaction that its unit of work commits."""

_SERVER_SETTINGS: Final = {
    "statement_timeout": "15000",  # ms
    "lock_timeout": "5000",  # ms
    "idle_in_transaction_session_timeout": "15000",  # ms
}
# SQLSTATE classes that pass by themselves: connection, rollback (deadlock, serialisation),
# resources, lock not available, operator intervention.
_TRANSIENT_CLASSES: Final = frozenset({"08", "40", "53", "55", "57"})


class Database:
    """One service's own database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.measurements = measures.Measurements()

    @classmethod
    def connect(cls, url: SecretStr, *, pool_size: int = 10) -> "Database":
        """Prepare a pool for a `postgresql://` URL; nothing is opened yet."""
        return cls(
            create_async_engine(
                make_url(url.get_secret_value()).set(drivername="postgresql+asyncpg"),
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=5,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={"server_settings": _SERVER_SETTINGS, "timeout": 5},
            )
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """The unit of work: commits at the end, rolls back on any exception."""
        async with self.engine.connect() as transaction:
            async with transaction.begin():
                measures.begin(transaction)
                yield transaction
            self.measurements.committed(transaction)

    async def ping(self) -> None:
        """Ask for an answer.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: PostgreSQL does not answer.
        """
        async with self.engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later without anybody's help."""
    if isinstance(error, OSError | TimeoutError | InterfaceError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return error.connection_invalidated or state[:2] in _TRANSIENT_CLASSES
    return False
