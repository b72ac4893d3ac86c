"""Keys can be held for an order that waits for its payment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_keys", sa.Column("reserved_for", pg.UUID(as_uuid=True)))
    op.create_check_constraint(
        "stock_keys_reserved_for", "stock_keys", "(state = 'reserved') = (reserved_for IS NOT NULL)"
    )
    op.create_index(
        "stock_keys_reserved",
        "stock_keys",
        ["reserved_for"],
        postgresql_where=sa.text("reserved_for IS NOT NULL"),
    )
    op.create_table(
        "reservations",
        sa.Column("order_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.execute("UPDATE stock_keys SET state = 'free', reserved_for = NULL WHERE state = 'reserved'")
    op.drop_table("reservations")
    op.drop_index("stock_keys_reserved", "stock_keys")
    op.drop_constraint("stock_keys_reserved_for", "stock_keys")
    op.drop_column("stock_keys", "reserved_for")
