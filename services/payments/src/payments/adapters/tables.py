"""The tables of payments.

A payment is confirmed by inserting its order into `confirmations`: the database cannot
hold a second one. Amounts are NUMERIC without a scale: coins have up to 18 decimals.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)

invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("order_id", _id, primary_key=True),
    sa.Column("price_amount", sa.Numeric, nullable=False),
    sa.Column("price_currency", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("placed_at", _timestamp, nullable=False),
    sa.Column("expires_at", _timestamp, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("invoice_id", sa.Text),
    sa.Column("invoice_url", sa.Text),
    sa.Column("reported", sa.Text),
)

cancelled_orders = sa.Table(
    "cancelled_orders",
    metadata,
    sa.Column("order_id", _id, primary_key=True),
    sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
)

ipns = sa.Table(
    "ipns",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("received_at", _timestamp, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("payment_id", sa.Text, nullable=False),
    sa.Column("order_id", _id),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("actually_paid", sa.Numeric, nullable=False),
    sa.Column("effect", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Index("ipns_identity", "payment_id", "status"),
    sa.Index("ipns_of_order", "order_id", "id"),
    sa.Index("ipns_open", "order_id", postgresql_where=sa.text("effect IS NULL")),
)

payments = sa.Table(
    "payments",
    metadata,
    sa.Column("payment_id", sa.Text, primary_key=True),
    sa.Column("id", _id, nullable=False, unique=True),
    sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), nullable=False),
    sa.Column("invoice_id", sa.Text),
    sa.Column("parent_payment_id", sa.Text),
    sa.Column("purchase_id", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("price_amount", sa.Numeric),
    sa.Column("price_currency", sa.Text),
    sa.Column("pay_amount", sa.Numeric),
    sa.Column("pay_currency", sa.Text),
    sa.Column("actually_paid", sa.Numeric, nullable=False),
    sa.Column("outcome_amount", sa.Numeric),
    sa.Column("outcome_currency", sa.Text),
    sa.Column("verdict", sa.Text),
    sa.Column("verdict_reason", sa.Text),
    sa.Column("first_seen_at", _timestamp, nullable=False),
    sa.Column("updated_at", _timestamp, nullable=False),
    sa.Column("confirmed_at", _timestamp),
    sa.Index("payments_of_order", "order_id", "id"),
)

confirmations = sa.Table(
    "confirmations",
    metadata,
    sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), primary_key=True),
    sa.Column(
        "payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), nullable=False, unique=True
    ),
    sa.Column("confirmed_at", _timestamp, nullable=False),
)

acceptances = sa.Table(
    "acceptances",
    metadata,
    sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), primary_key=True),
    sa.Column(
        "payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), nullable=False, unique=True
    ),
    sa.Column("accepted_at", _timestamp, nullable=False),
)

refundables = sa.Table(
    "refundables",
    metadata,
    sa.Column("payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), primary_key=True),
    sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("noted_at", _timestamp, nullable=False),
)

noted_surpluses = sa.Table(
    "noted_surpluses",
    metadata,
    sa.Column("payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), primary_key=True),
    sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("worth", sa.Numeric, nullable=False),
    sa.Column("worth_currency", sa.Text, nullable=False),
    sa.Column("noted_at", _timestamp, nullable=False),
)
"""What a payment has too much and is not worth sending back; `worth` is in the order's currency."""

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("order_id", _id, nullable=False),
    sa.Column("payment_id", sa.Text),
    sa.Column("at", _timestamp, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("actually_paid", sa.Numeric),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("history_of_order", "order_id", "id"),
)

differences = sa.Table(
    "differences",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric),
    sa.Column("currency", sa.Text),
    sa.Column("first_seen_at", _timestamp, nullable=False),
    sa.Column("last_seen_at", _timestamp, nullable=False),
    sa.Column("settled_at", _timestamp),
    sa.Column("settled_by", sa.Text),
    sa.Column("settled_how", sa.Text),
    sa.UniqueConstraint("kind", "subject", "says", name="differences_once"),
)
"""What the reconciliation found: each row waits for a person."""
