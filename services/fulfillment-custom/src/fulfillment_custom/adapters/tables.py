"""The tables of own stock.

A key is given away by inserting its assignment, whose primary key is the key itself:
the database cannot hold a second one.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)

stock_levels = sa.Table(
    "stock_levels",
    metadata,
    sa.Column("product_id", _id, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
)

stock_keys = sa.Table(
    "stock_keys",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("product_id", _id, sa.ForeignKey("stock_levels.product_id"), nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("sealed", pg.JSONB, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("added_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Column("reserved_for", _id),  # the line of an order that waits for its payment
    sa.CheckConstraint(
        "state IN ('free', 'reserved', 'assigned', 'withdrawn')", name="stock_keys_state"
    ),
    sa.CheckConstraint(
        "(state = 'reserved') = (reserved_for IS NOT NULL)", name="stock_keys_reserved_for"
    ),
    sa.Index(
        "stock_keys_reserved",
        "reserved_for",
        postgresql_where=sa.text("reserved_for IS NOT NULL"),
    ),
    sa.Index("stock_keys_free", "product_id", "seq", postgresql_where=sa.text("state = 'free'")),
)

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("order_id", _id, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("changed_at", _timestamp, nullable=False),
)

lines = sa.Table(
    "lines",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("order_id", _id, nullable=False),
    sa.Column("product_id", _id, sa.ForeignKey("stock_levels.product_id"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("quantity", sa.SmallInteger, nullable=False),
    sa.Column("lines_in_order", sa.SmallInteger, nullable=False),
    sa.Column("buyer", pg.JSONB, nullable=False),
    sa.Column("backorder", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("requested_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Index("lines_waiting", "product_id", "seq", postgresql_where=sa.text("state = 'waiting'")),
)

assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("key_id", _id, sa.ForeignKey("stock_keys.id"), primary_key=True),
    sa.Column("line_id", _id, sa.ForeignKey("lines.id"), nullable=False),
    sa.Column("unit_no", sa.SmallInteger, nullable=False),
    sa.Column("assigned_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("line_id", "unit_no"),
)

cancelled_lines = sa.Table(
    "cancelled_lines",
    metadata,
    sa.Column("line_id", _id, primary_key=True),
    sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
)

uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("product_id", _id, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Integer, nullable=False),
)
