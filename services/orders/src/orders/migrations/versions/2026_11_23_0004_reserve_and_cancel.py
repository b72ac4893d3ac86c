"""Orders wait for their reservation; a line remembers that it is being cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("reservation", sa.Text, nullable=False, server_default="none")
    )
    op.add_column("orders", sa.Column("paid_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE orders SET paid_at = now() WHERE money = 'paid'")
    op.execute(
        "INSERT INTO jobs (kind, subject, payload, due_at)"
        " SELECT 'ask_again', id::text, '{}', now() FROM orders"
        " WHERE money = 'paid' AND status NOT IN ('fulfilled', 'refunded')"
    )
    op.add_column("order_items", sa.Column("cancellation", sa.Text))


def downgrade() -> None:
    op.drop_column("order_items", "cancellation")
    op.drop_column("orders", "paid_at")
    op.drop_column("orders", "reservation")
