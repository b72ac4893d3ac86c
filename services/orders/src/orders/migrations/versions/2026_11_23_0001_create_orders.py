"""Create the catalogue, the orders and what goes with them."""

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
        "products",
        sa.Column("id", _id, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("retail_price", _money, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("cost_usd", _money),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("source_type", sa.Text, nullable=False, server_default="custom"),
        sa.Column("kinguin_product_id", sa.Text),
        sa.Column("kinguin_offer_id", sa.Text),
        sa.Column("backorder", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("free_stock", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stock_version", sa.BigInteger, nullable=False, server_default="-1"),
        sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _timestamp, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("retail_price > 0", name="products_price_positive"),
    )
    op.create_index("products_title", "products", ["title", "id"])
    op.create_index("products_kinguin_product_id", "products", ["kinguin_product_id"])
    op.create_table(
        "orders",
        sa.Column("id", _id, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("total", _money, nullable=False),
        sa.Column("source_type", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("money", sa.Text, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("attention", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("invoice_url", sa.Text),
        sa.Column("payment_state", sa.Text),
        sa.Column("payment_id", sa.Text),
        sa.Column("pay_currency", sa.Text),
        sa.Column("asked_amount", sa.Numeric),
        sa.Column("paid_amount", sa.Numeric),
        sa.Column("placed_at", _timestamp, nullable=False),
        sa.Column("expires_at", _timestamp, nullable=False),
        sa.Column("delivered_at", _timestamp),
    )
    op.create_index("orders_status", "orders", ["status", "id"])
    op.create_index("orders_email", "orders", [sa.text("lower(email)")])
    op.create_table(
        "order_items",
        sa.Column("id", _id, primary_key=True),
        sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("product_id", _id, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("quantity", sa.SmallInteger, nullable=False),
        sa.Column("unit_price", _money, nullable=False),
        sa.Column("product_source_type", sa.Text, nullable=False),
        sa.Column("backorder", sa.Boolean, nullable=False),
        sa.Column("kinguin_product_id", sa.Text),
        sa.Column("kinguin_offer_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("delivery_id", _id),
        sa.Column("delivery_version", sa.Integer),
        sa.Column("ready_at", _timestamp),
        sa.Column("reveals_left", sa.SmallInteger),
        sa.Column("delivery_expires_at", _timestamp),
        sa.UniqueConstraint("order_id", "position"),
    )
    op.create_table(
        "order_history",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("item_id", _id),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("order_history_order_id", "order_history", ["order_id", "seq"])
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("order_id", _id, nullable=False),
        sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "rollout",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("kinguin_enabled", sa.Boolean, nullable=False),
        sa.Column("rollout_percent", sa.SmallInteger, nullable=False),
        sa.Column("tester_emails", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("rollout_percent BETWEEN 0 AND 100", name="rollout_percent_range"),
    )
    op.execute("INSERT INTO rollout VALUES (1, false, 0, '{}', 0)")
    op.create_table(
        "audit_log",
        sa.Column("id", _id, primary_key=True),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("before", pg.JSONB),
        sa.Column("after", pg.JSONB),
    )


def downgrade() -> None:
    for table in (
        "audit_log",
        "rollout",
        "idempotency_keys",
        "order_history",
        "order_items",
        "orders",
        "products",
    ):
        op.drop_table(table)
    drop_runtime_tables(op)
