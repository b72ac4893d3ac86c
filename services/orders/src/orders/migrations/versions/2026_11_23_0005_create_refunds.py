"""Money that is owed back: one row a line, or a payment that fulfils nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "refunds",
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
    )
    op.create_index("refunds_of_order", "refunds", ["order_id"])
    op.create_index("refunds_state", "refunds", ["state", "id"])
    _adopt_lines()


def _adopt_lines() -> None:
    """Lines that are owed back already, and those that were paid back, which nobody is told."""
    op.execute(
        "INSERT INTO refunds (id, order_id, item_id, subject, amount, currency, reason, state,"
        " tx_hash, actor, due_at, sent_at, due_told, sent_told)"
        " SELECT gen_random_uuid(), o.id, i.id, i.title, i.unit_price * i.quantity, o.currency,"
        " coalesce((SELECT reason FROM order_history WHERE item_id = i.id"
        " AND status = 'refund_due' LIMIT 1), 'owed back'),"
        " CASE i.status WHEN 'refunded' THEN 'sent' ELSE 'due' END,"
        " CASE i.status WHEN 'refunded' THEN coalesce((SELECT reason FROM order_history"
        " WHERE item_id = i.id AND status = 'refunded' LIMIT 1), 'unknown') END,"
        " 'system', now(), CASE i.status WHEN 'refunded' THEN now() END,"
        " i.status = 'refunded', i.status = 'refunded'"
        " FROM order_items i JOIN orders o ON o.id = i.order_id"
        " WHERE i.status IN ('refund_due', 'refunded')"
    )
    op.execute(
        "INSERT INTO jobs (kind, subject, payload, due_at)"
        " SELECT DISTINCT 'tell_refunds', order_id::text, '{}'::jsonb, now() FROM refunds"
        " WHERE state = 'due'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'tell_refunds'")
    op.drop_table("refunds")
