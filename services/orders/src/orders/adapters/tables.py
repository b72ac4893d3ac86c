"""The tables of orders."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)
_money = sa.Numeric(20, 8)

products = sa.Table(
    "products",
    metadata,
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
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("retail_price > 0", name="products_price_positive"),
    sa.Index("products_title", "title", "id"),
    sa.Index("products_kinguin_product_id", "kinguin_product_id"),
)

kinguin_offers = sa.Table(
    "kinguin_offers",
    metadata,
    sa.Column("kinguin_product_id", sa.Text, primary_key=True),
    sa.Column("kinguin_offer_id", sa.Text, primary_key=True),
    sa.Column("price_eur", _money),
    sa.Column("cost_usd", _money),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("seen_at", _timestamp, nullable=False),
    sa.Index("kinguin_offers_seen_at", "seen_at"),
)

orders = sa.Table(
    "orders",
    metadata,
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
    sa.Column("reservation", sa.Text, nullable=False, server_default="none"),
    sa.Column("paid_at", _timestamp),
    sa.Index("orders_status", "status", "id"),
    sa.Index("orders_email", sa.text("lower(email)")),
)

order_items = sa.Table(
    "order_items",
    metadata,
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
    sa.Column("cancellation", sa.Text),
    sa.Column("requested_at", _timestamp),
    sa.Column("replaces", _id, sa.ForeignKey("order_items.id"), unique=True),
    sa.UniqueConstraint("order_id", "position"),
    sa.Index(
        "order_items_asked_of_kinguin",
        "requested_at",
        postgresql_where=sa.text("product_source_type = 'kinguin'"),
    ),
)

order_history = sa.Table(
    "order_history",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("item_id", _id),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("order_history_order_id", "order_id", "seq"),
)

refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("item_id", _id, sa.ForeignKey("order_items.id"), unique=True),
    sa.Column("payment_id", sa.Text, unique=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("coin", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("address_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tx_hash", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("due_at", _timestamp, nullable=False),
    sa.Column("address_given_at", _timestamp),
    sa.Column("sent_at", _timestamp),
    sa.Column("due_told", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("address_told", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sent_told", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("num_nonnulls(item_id, payment_id) = 1", name="refunds_of_one"),
    sa.Index("refunds_of_order", "order_id"),
    sa.Index("refunds_state", "state", "id"),
)

bad_key_cases = sa.Table(
    "bad_key_cases",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("item_id", _id, sa.ForeignKey("order_items.id"), nullable=False, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("opened_at", _timestamp, nullable=False),
    sa.Column("return_until", _timestamp),
    sa.Column("due_at", _timestamp, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("actor", sa.Text),
    sa.Column("resolution", sa.Text),
    sa.Column("supplier_reference", sa.Text),
    sa.Column("resolved_at", _timestamp),
    sa.Index("bad_key_cases_of_order", "order_id"),
    sa.Index("bad_key_cases_state", "state", "due_at", "id"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("order_id", _id, nullable=False),
    sa.Column("created_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.Index("idempotency_keys_created_at", "created_at"),
)

rollout = sa.Table(
    "rollout",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("kinguin_enabled", sa.Boolean, nullable=False),
    sa.Column("rollout_percent", sa.SmallInteger, nullable=False),
    sa.Column("tester_emails", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("stepped_at", _timestamp, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("rollout_percent BETWEEN 0 AND 100", name="rollout_percent_range"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("before", pg.JSONB),
    sa.Column("after", pg.JSONB),
)
