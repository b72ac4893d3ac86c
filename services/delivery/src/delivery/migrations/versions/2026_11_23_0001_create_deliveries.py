"""Create deliveries, mails and the log of reveals."""

import sqlalchemy as sa
from alembic import op
from persistence.migrations import create_runtime_tables, drop_runtime_tables
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_runtime_tables(op)
    op.create_table(
        "deliveries",
        sa.Column("id", _id, primary_key=True),
        sa.Column("line_id", _id, nullable=False, unique=True),
        sa.Column("order_id", _id, nullable=False, index=True),
        sa.Column("product_id", _id, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source_type", sa.Text, nullable=False),
        sa.Column("lines_in_order", sa.SmallInteger, nullable=False),
        sa.Column("buyer", pg.JSONB, nullable=False),
        sa.Column("fingerprints", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("sealed_keys", pg.JSONB),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("link_version", sa.Integer, nullable=False),
        sa.Column("reveals_used", sa.SmallInteger, nullable=False),
        sa.Column("was_revealed", sa.Boolean, nullable=False),
        sa.Column("ready_at", _timestamp),
        sa.Column("expires_at", _timestamp),
        sa.Column("mailed_at", _timestamp),
        sa.Column("object_key", sa.Text),
        sa.Column("kek_id", sa.Text),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("nonce", sa.LargeBinary),
        sa.Column("checksum", sa.Text),
        sa.Column("received_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "mails",
        sa.Column("id", _id, primary_key=True),
        sa.Column("about", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("dated_at", _timestamp, nullable=False),
        sa.Column("recipient", pg.JSONB, nullable=False),
        sa.Column("links", pg.JSONB),
        sa.Column("body", pg.JSONB),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("ended_at", _timestamp),
    )
    op.create_table(
        "reveal_log",
        sa.Column("id", _id, primary_key=True),
        sa.Column("delivery_id", _id, sa.ForeignKey("deliveries.id"), nullable=False, index=True),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("reveals_left", sa.SmallInteger, nullable=False),
    )
    op.create_table(
        "wrong_tries",
        sa.Column("id", _id, primary_key=True),
        sa.Column("delivery_id", _id, nullable=False, index=True),
        sa.Column("at", _timestamp, nullable=False),
    )
    op.create_table(
        "cancelled_lines",
        sa.Column("line_id", _id, primary_key=True),
        sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "disputed_keys",
        sa.Column("message_id", _id, primary_key=True),
        sa.Column("line_id", _id, nullable=False),
        sa.Column("keys", pg.JSONB, nullable=False),
        sa.Column("received_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    for table in (
        "disputed_keys",
        "cancelled_lines",
        "wrong_tries",
        "reveal_log",
        "mails",
        "deliveries",
    ):
        op.drop_table(table)
    drop_runtime_tables(op)
