"""Alembic for every service: run it, and know whether the schema fits the code.

Migrations lie inside the service's package, so that its image carries them. They expand
first and contract later: a migration that the code before it cannot live with says
`breaks = True`. Each run notes in the database which code may use it, so that old code runs
beside new code during an upgrade, and again after a rollback.
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from foundation.refusals import Refusal
from pydantic import SecretStr

from persistence.database import Database
from persistence.tables import metadata as runtime_metadata
from persistence.tables import schema_fits

# Any constant: two migrations of one database must not run at once.
_ADVISORY_LOCK = 20261123


_log = structlog.get_logger()


class SchemaMismatch(Refusal):
    """The database is behind this code, or ahead of it by a step it cannot live with."""

    def __init__(self, package: str, found: str | None, expected: str | None) -> None:
        is_ahead = found is not None and found not in _revisions(package)
        remedy = (
            "run the version that migrated it, or a newer one"
            if is_ahead
            else f"run `python -m {package} migrate` with this version"
        )
        super().__init__(
            f"the database is at schema {found or 'none'}, this code needs {expected}: {remedy}"
        )


def _config(package: str) -> Config:
    config = Config()
    location = Path(str(resources.files(package))) / "migrations"
    config.set_main_option("script_location", str(location))
    config.set_main_option("path_separator", "os")
    return config


def head(package: str) -> str | None:
    """The revision this code was written for."""
    return ScriptDirectory.from_config(_config(package)).get_current_head()


def _revisions(package: str) -> frozenset[str]:
    scripts = ScriptDirectory.from_config(_config(package)).walk_revisions()
    return frozenset(script.revision for script in scripts)


def _fitting(package: str, revision: str | None) -> Iterator[str]:
    """The revisions whose code may run on a schema: back to the last step that breaks."""
    scripts = ScriptDirectory.from_config(_config(package))
    while revision is not None:
        yield revision
        script = scripts.get_revision(revision)
        if getattr(script.module, "breaks", False):
            return
        revision = script.down_revision if isinstance(script.down_revision, str) else None


async def migrate(package: str, url: SecretStr, revision: str = "head") -> None:
    """Bring the database of a service to `revision`; a second caller waits for the first.

    A newer schema that fits stays as it is: a rollback brings the code back, not the schema.

    Raises:
        SchemaMismatch: the database is ahead by a step that this code cannot live with.
    """
    database = Database.connect(url, pool_size=1)
    try:
        async with database.engine.connect() as connection:
            await connection.execute(sa.text("SELECT set_config('statement_timeout', '0', false)"))
            await connection.execute(sa.text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
            await connection.commit()
            await connection.run_sync(_run, package, revision)
            await connection.commit()
    finally:
        await database.dispose()


def _run(connection: sa.Connection, package: str, revision: str) -> None:
    config = _config(package)
    config.attributes["connection"] = connection
    found = _current(connection)
    if found is not None and found not in _revisions(package):
        if not _is_noted(connection, head(package)):
            raise SchemaMismatch(package, found, head(package))
        _log.warning("schema.ahead", found=found, expected=head(package))
        return
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    _note_what_fits(connection, package)


def _note_what_fits(connection: sa.Connection, package: str) -> None:
    fitting = [{"revision": revision} for revision in _fitting(package, _current(connection))]
    schema_fits.drop(connection, checkfirst=True)
    if fitting:
        schema_fits.create(connection)
        connection.execute(sa.insert(schema_fits), fitting)


def run_env(context: Any, *metadata: sa.MetaData) -> None:
    """The body of every service's `migrations/env.py`."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=[runtime_metadata, *metadata],
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def check_schema(package: str, database: Database) -> None:
    """Refuse to work on a schema that does not fit this code.

    A schema that is ahead fits when every step since was one that this code can live with.

    Raises:
        SchemaMismatch: it is behind, or ahead by a step that breaks.
    """
    expected = head(package)
    async with database.engine.connect() as connection:
        found = await connection.run_sync(_current)
        fits = found == expected or await connection.run_sync(_is_noted, expected)
    if not fits:
        raise SchemaMismatch(package, found, expected)
    if found != expected:
        _log.warning("schema.ahead", found=found, expected=expected)


def _is_noted(connection: sa.Connection, revision: str | None) -> bool:
    if not sa.inspect(connection).has_table(schema_fits.name):
        return False
    known = sa.select(schema_fits).where(schema_fits.c.revision == revision)
    return connection.execute(known).first() is not None


def _current(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


# What was once released stays as it was: version 1 is spelled out, and later versions are
# steps that a migration of each service takes.
_VERSION_1: Final = (
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        message_id uuid NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, message_id)
    )""",
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id uuid NOT NULL UNIQUE,
        topic text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now()
    )""",
    # Emptied all the time: clean up by count, not by share of the table.
    """
    ALTER TABLE outbox
        SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)""",
    """
    CREATE TABLE outbox_lease (
        id smallserial PRIMARY KEY CHECK (id = 1),
        owner uuid,
        held_until timestamptz
    )""",
    "INSERT INTO outbox_lease (id) VALUES (1)",
    """
    CREATE TABLE dead_letters (
        id uuid PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        kafka_offset bigint NOT NULL,
        key bytea,
        body bytea,
        headers jsonb NOT NULL,
        error text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        given_up_at timestamptz,
        UNIQUE (consumer, topic, partition, kafka_offset)
    )""",
    """
    CREATE TABLE jobs (
        kind text NOT NULL,
        subject text NOT NULL,
        payload jsonb NOT NULL,
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        revision integer NOT NULL DEFAULT 0,
        lease_token uuid,
        lease_until timestamptz,
        last_error text,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (kind, subject)
    )""",
    "CREATE INDEX jobs_due ON jobs (kind, due_at)",
)


def create_runtime_tables(op: Any) -> None:
    """Version 1 of the tables of `persistence.tables`, for a service's first migration."""
    for statement in _VERSION_1:
        op.execute(statement)


def drop_runtime_tables(op: Any) -> None:
    """Undo `create_runtime_tables`."""
    op.execute("DROP TABLE inbox, outbox, outbox_lease, dead_letters, jobs")


def index_inbox_by_age(op: Any) -> None:
    """Version 2: old rows of the inbox are found without reading all of it."""
    op.execute("CREATE INDEX inbox_seen_at ON inbox (seen_at)")


def drop_inbox_index(op: Any) -> None:
    """Undo `index_inbox_by_age`."""
    op.execute("DROP INDEX inbox_seen_at")


def create_operator_log(op: Any) -> None:
    """Version 3: what operators do with the command line is on record."""
    op.execute(
        """
        CREATE TABLE operator_log (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            actor text NOT NULL,
            action text NOT NULL,
            subject text NOT NULL,
            reason text,
            facts jsonb NOT NULL
        )"""
    )


def drop_operator_log(op: Any) -> None:
    """Undo `create_operator_log`."""
    op.execute("DROP TABLE operator_log")
