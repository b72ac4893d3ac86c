"""Create own stock: keys, lines, and which key belongs to which line."""

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
        "stock_levels",
        sa.Column("product_id", _id, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "stock_keys",
        sa.Column("id", _id, primary_key=True),
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("product_id", _id, sa.ForeignKey("stock_levels.product_id"), nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("sealed", pg.JSONB, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("added_at", _timestamp, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint(
            "state IN ('free', 'reserved', 'assigned', 'withdrawn')", name="stock_keys_state"
        ),
    )
    op.create_index("stock_keys_free", "stock_keys", ["product_id", "seq"], postgresql_where=sa.text("state = 'free'"))
    op.create_table(
        "lines",
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
    )
    op.create_index("lines_waiting", "lines", ["product_id", "seq"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_table(
        "assignments",
        sa.Column("key_id", _id, sa.ForeignKey("stock_keys.id"), primary_key=True),
        sa.Column("line_id", _id, sa.ForeignKey("lines.id"), nullable=False),
        sa.Column("unit_no", sa.SmallInteger, nullable=False),
        sa.Column("assigned_at", _timestamp, nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("line_id", "unit_no"),
    )
    op.create_table(
        "cancelled_lines",
        sa.Column("line_id", _id, primary_key=True),
        sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "uploads",
        sa.Column("id", _id, primary_key=True),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("product_id", _id, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("duplicates", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("uploads", "cancelled_lines", "assignments", "lines", "stock_keys", "stock_levels"):
        op.drop_table(table)
    drop_runtime_tables(op)
