"""The tables every service database has: inbox, outbox, dead letters, jobs.

A change here needs a step in `migrations.py` and a migration of each service.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_timestamp = sa.DateTime(timezone=True)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("message_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("seen_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Index("inbox_seen_at", "seen_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("message_id", pg.UUID(as_uuid=True), nullable=False, unique=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("traceparent", sa.Text),
    sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
)

outbox_lease = sa.Table(
    "outbox_lease",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("owner", pg.UUID(as_uuid=True)),
    sa.Column("held_until", _timestamp),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("kafka_offset", sa.BigInteger, nullable=False),
    sa.Column("key", sa.LargeBinary),
    sa.Column("body", sa.LargeBinary),
    sa.Column("headers", pg.JSONB, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("parked_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Column("given_up_at", _timestamp),
    sa.UniqueConstraint("consumer", "topic", "partition", "kafka_offset"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("payload", pg.JSONB, nullable=False),
    sa.Column("due_at", _timestamp, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_token", pg.UUID(as_uuid=True)),
    sa.Column("lease_until", _timestamp),
    sa.Column("last_error", sa.Text),
    sa.Column("traceparent", sa.Text),
    sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Index("jobs_due", "kind", "due_at"),
)

operator_log = sa.Table(
    "operator_log",
    metadata,
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("facts", pg.JSONB, nullable=False),
)
"""What operators did to this service's rows from outside; rows are only ever added."""

schema_fits = sa.Table(
    "schema_fits",
    metadata,
    sa.Column("revision", sa.Text, primary_key=True),
)
"""The revisions whose code may run on this schema; written by each migration."""
