"""PostgreSQL of each service: it answers, its schema fits this version, its clock is ours."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Final

import asyncpg
import sqlalchemy as sa
from foundation.settings import ServiceSettings
from persistence.database import Database
from persistence.migrations import SchemaMismatch, check_schema, head
from sqlalchemy.exc import DBAPIError

from bitloot_cli.preflight.outcome import Outcome, failed, ok

MAX_OFFSET: Final = timedelta(seconds=2)
"""Jobs are due by the service's clock and leased by the database's; a lease is 60 s."""


async def check_database(service: str, settings: ServiceSettings) -> list[Outcome]:
    """Two lines: schema and clock; one when it cannot be asked."""
    database = Database.connect(settings.database_url, pool_size=1)
    try:
        return [await _schema(service, database), await _clock(service, database)]
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        reason = getattr(error, "orig", None) or error
        remedy = "is it running, and are address, role and password of DATABASE_URL right?"
        return [failed(f"{service} PostgreSQL", f"cannot be used ({reason})", remedy)]
    finally:
        await database.dispose()


async def _schema(service: str, database: Database) -> Outcome:
    package = service.replace("-", "_")
    try:
        await check_schema(package, database)
    except SchemaMismatch as error:
        problem, _, remedy = str(error).rpartition(": ")
        return failed(f"{service} schema", problem, remedy)
    # Revisions of two services may be called alike; their tables are not.
    if missing := await _missing_tables(package, database):
        remedy = "does DATABASE_URL name the database of another service?"
        return failed(f"{service} schema", f"no table {', '.join(missing)}", remedy)
    return ok(f"{service} schema", f"fits {head(package)}")


async def _missing_tables(package: str, database: Database) -> list[str]:
    wanted = import_module(f"{package}.adapters.tables").metadata.tables.keys()
    async with database.engine.connect() as connection:
        there = await connection.run_sync(lambda known: sa.inspect(known).get_table_names())
    return sorted(wanted - set(there))


async def _clock(service: str, database: Database) -> Outcome:
    async with database.engine.connect() as connection:
        before = datetime.now(UTC)
        theirs: datetime = (
            await connection.execute(sa.text("SELECT clock_timestamp()"))
        ).scalar_one()
        after = datetime.now(UTC)
    offset = abs(theirs - (before + (after - before) / 2))
    subject = f"{service} clock of PostgreSQL"
    if offset > MAX_OFFSET + (after - before):
        problem = f"{offset.total_seconds():.1f} s away from this machine's"
        return failed(subject, problem, "let both machines take their time from NTP")
    return ok(subject, f"{offset.total_seconds() * 1000:.0f} ms away")
