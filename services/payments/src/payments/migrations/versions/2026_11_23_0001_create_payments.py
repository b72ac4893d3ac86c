"""Create payments: invoices, notifications, payments, and what each was worth."""

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
        "invoices",
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
    op.create_table(
        "cancelled_orders",
        sa.Column("order_id", _id, primary_key=True),
        sa.Column("cancelled_at", _timestamp, nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "ipns",
        sa.Column("id", _id, primary_key=True),
        sa.Column("received_at", _timestamp, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("payment_id", sa.Text, nullable=False),
        sa.Column("order_id", _id),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("actually_paid", sa.Numeric, nullable=False),
        sa.Column("effect", sa.Text),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ipns_identity", "ipns", ["payment_id", "status"])
    op.create_index("ipns_of_order", "ipns", ["order_id", "id"])
    op.create_index("ipns_open", "ipns", ["order_id"], postgresql_where=sa.text("effect IS NULL"))
    op.create_table(
        "payments",
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
    )
    op.create_index("payments_of_order", "payments", ["order_id", "id"])
    op.create_table(
        "confirmations",
        sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), primary_key=True),
        sa.Column(
            "payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), nullable=False, unique=True
        ),
        sa.Column("confirmed_at", _timestamp, nullable=False),
    )
    op.create_table(
        "refundables",
        sa.Column("payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), primary_key=True),
        sa.Column("order_id", _id, sa.ForeignKey("invoices.order_id"), nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("noted_at", _timestamp, nullable=False),
    )
    op.create_table(
        "history",
        sa.Column("id", _id, primary_key=True),
        sa.Column("order_id", _id, nullable=False),
        sa.Column("payment_id", sa.Text),
        sa.Column("at", _timestamp, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("actually_paid", sa.Numeric),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("history_of_order", "history", ["order_id", "id"])


def downgrade() -> None:
    for table in (
        "history",
        "refundables",
        "confirmations",
        "payments",
        "ipns",
        "cancelled_orders",
        "invoices",
    ):
        op.drop_table(table)
    drop_runtime_tables(op)
