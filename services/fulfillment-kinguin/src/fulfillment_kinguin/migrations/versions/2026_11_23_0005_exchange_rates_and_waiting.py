"""The exchange rate that replicas share, and what a purchase waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("rate", sa.Numeric(20, 8), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("purchases", sa.Column("waits_for", sa.Text))
    op.create_index(
        "purchases_waiting",
        "purchases",
        ["waits_for"],
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("purchases_waiting", "purchases")
    op.drop_column("purchases", "waits_for")
    op.drop_table("exchange_rates")
