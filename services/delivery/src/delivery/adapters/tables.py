"""The tables of delivery. No key and no address stands in them in plain."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)

deliveries = sa.Table(
    "deliveries",
    metadata,
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
    sa.Index("deliveries_fingerprints", "fingerprints", postgresql_using="gin"),
)

mails = sa.Table(
    "mails",
    metadata,
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

reveal_log = sa.Table(
    "reveal_log",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("delivery_id", _id, sa.ForeignKey("deliveries.id"), nullable=False, index=True),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("reveals_left", sa.SmallInteger, nullable=False),
)

wrong_tries = sa.Table(
    "wrong_tries",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("delivery_id", _id, nullable=False, index=True),
    sa.Column("at", _timestamp, nullable=False),
    sa.Index("wrong_tries_at", "at"),
)

cancelled_lines = sa.Table(
    "cancelled_lines",
    metadata,
    sa.Column("line_id", _id, primary_key=True),
    sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
)

disputed_keys = sa.Table(
    "disputed_keys",
    metadata,
    sa.Column("message_id", _id, primary_key=True),
    sa.Column("line_id", _id, nullable=False),
    sa.Column("keys", pg.JSONB, nullable=False),
    sa.Column("received_at", _timestamp, nullable=False, server_default=sa.func.now()),
)
