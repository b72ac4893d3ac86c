"""The tables of fulfillment-kinguin.

A purchase is known by its external id before it exists at Kinguin, and a bought key by
Kinguin's id for it and by its fingerprint: neither can be stored twice.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)
_money = sa.Numeric(20, 8)

lines = sa.Table(
    "lines",
    metadata,
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

purchases = sa.Table(
    "purchases",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("line_id", _id, sa.ForeignKey("lines.id"), nullable=False),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kinguin_reservation_id", sa.Text),
    sa.Column("quantity", sa.SmallInteger, nullable=False),
    sa.Column("price_asked_eur", _money),
    sa.Column("price_charged_eur", _money),
    sa.Column("committed_eur", _money),
    sa.Column("committed_at", _timestamp),
    sa.Column("eur_usd_rate", _money),
    sa.Column("posts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("polls", sa.Integer, nullable=False, server_default="0"),
    sa.Column("empty_searches", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_empty_search_at", _timestamp),
    sa.Column("unknown_since", _timestamp),
    sa.Column("placed_at", _timestamp),
    sa.Column("next_attempt_at", _timestamp),
    sa.Column("waits_for", sa.Text),
    sa.Column("return_requested_at", _timestamp),
    sa.Column("return_posts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("return_looks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("return_taken", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", _timestamp, nullable=False),
    sa.Column("updated_at", _timestamp, nullable=False),
    sa.UniqueConstraint("line_id", "attempt"),
    sa.Index("purchases_state", "state", "id"),
    sa.Index("purchases_reservation", "kinguin_reservation_id"),
    sa.Index(
        "purchases_committed",
        "committed_at",
        postgresql_where=sa.text("committed_eur IS NOT NULL"),
    ),
    sa.Index(
        "purchases_waiting",
        "waits_for",
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    ),
)

exchange_rates = sa.Table(
    "exchange_rates",
    metadata,
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("rate", _money, nullable=False),
    sa.Column("rated_at", _timestamp, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("heard_at", _timestamp, nullable=False),
)

supplier_guard = sa.Table(
    "supplier_guard",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("first_failure_at", _timestamp),
    sa.Column("open_until", _timestamp),
    sa.Column("balance_eur", _money),
    sa.Column("balance_heard_at", _timestamp),
)

purchase_history = sa.Table(
    "purchase_history",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("from_state", sa.Text),
    sa.Column("to_state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("purchase_history_purchase", "purchase_id", "seq"),
)

purchase_keys = sa.Table(
    "purchase_keys",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
    sa.Column("kinguin_key_id", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("sealed", pg.JSONB, nullable=False),
    sa.Column("bought_at", _timestamp, nullable=False),
    sa.UniqueConstraint("purchase_id", "kinguin_key_id"),
)

cancelled_lines = sa.Table(
    "cancelled_lines",
    metadata,
    sa.Column("line_id", _id, primary_key=True),
    sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
)

rollout = sa.Table(
    "rollout",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
    sa.Column("kinguin_enabled", sa.Boolean, nullable=False),
    sa.Column("rollout_percent", sa.SmallInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

followed_offers = sa.Table(
    "followed_offers",
    metadata,
    sa.Column("product_id", _id, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("kinguin_product_id", sa.Text),
    sa.Column("kinguin_offer_id", sa.Text),
    sa.Column("followed_since", _timestamp, nullable=False),
    sa.Column("due_at", _timestamp),
    sa.Column("seen_at", _timestamp),
    sa.Column("told_at", _timestamp),
    sa.Column("price_eur", _money),
    sa.Column("cost_usd", _money),
    sa.Column("quantity", sa.Integer),
    sa.Index("followed_offers_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index(
        "followed_offers_product",
        "kinguin_product_id",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
)
"""`due_at` is null while the catalogue does not sell the offer; the facts are those told last."""

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("purchase_id", _id, sa.ForeignKey("purchases.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
)
