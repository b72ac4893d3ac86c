"""Create the purchases at Kinguin: lines, attempts, their history and the bought keys."""

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
_money = sa.Numeric(20, 8)


def upgrade() -> None:
    create_runtime_tables(op)
    op.create_table(
        "lines",
        sa.Column("id", _id, primary_key=True),
        sa.Column("order_id", _id, nullable=False),
        sa.Column("product_id", _id, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("quantity", sa.SmallInteger, nullable=False),
        sa.Column("kinguin_product_id", sa.Text, nullable=False),
        sa.Column("kinguin_offer_id", sa.Text),
        sa.Column("highest_unit_price", _money, nullable=False),
        sa.Column("highest_currency", sa.Text, nullable=False),
        sa.Column("lines_in_order", sa.SmallInteger, nullable=False),
        sa.Column("buyer", pg.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("requested_at", _timestamp, nullable=False),
    )
    op.create_table(
        "purchases",
        sa.Column("id", _id, primary_key=True),
        sa.Column("line_id", _id, sa.ForeignKey("lines.id"), nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kinguin_reservation_id", sa.Text),
        sa.Column("quantity", sa.SmallInteger, nullable=False),
        sa.Column("price_asked_eur", _money),
        sa.Column("price_charged_eur", _money),
        sa.Column("posts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("polls", sa.Integer, nullable=False, server_default="0"),
        sa.Column("empty_searches", sa.Integer, nullable=False, server_default="0"),
        sa.Column("first_empty_search_at", _timestamp),
        sa.Column("unknown_since", _timestamp),
        sa.Column("placed_at", _timestamp),
        sa.Column("next_attempt_at", _timestamp),
        sa.Column("last_error", sa.Text),
        sa.Column("created_at", _timestamp, nullable=False),
        sa.Column("updated_at", _timestamp, nullable=False),
        sa.UniqueConstraint("line_id", "attempt"),
    )
    op.create_index("purchases_state", "purchases", ["state", "id"])
    op.create_index("purchases_reservation", "purchases", ["kinguin_reservation_id"])
    op.create_table(
        "purchase_history",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("purchase_history_purchase", "purchase_history", ["purchase_id", "seq"])
    op.create_table(
        "purchase_keys",
        sa.Column("id", _id, primary_key=True),
        sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
        sa.Column("kinguin_key_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("sealed", pg.JSONB, nullable=False),
        sa.Column("bought_at", _timestamp, nullable=False),
        sa.UniqueConstraint("purchase_id", "kinguin_key_id"),
    )
    op.create_table(
        "cancelled_lines",
        sa.Column("line_id", _id, primary_key=True),
        sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "rollout",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("kinguin_enabled", sa.Boolean, nullable=False),
        sa.Column("rollout_percent", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", _id, primary_key=True),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "audit_log",
        "rollout",
        "cancelled_lines",
        "purchase_keys",
        "purchase_history",
        "purchases",
        "lines",
    ):
        op.drop_table(table)
    drop_runtime_tables(op)
