"""A surplus that is worth too little to be sent back is noted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "noted_surpluses",
        sa.Column(
            "payment_id", sa.Text, sa.ForeignKey("payments.payment_id"), primary_key=True
        ),
        sa.Column(
            "order_id", pg.UUID(as_uuid=True), sa.ForeignKey("invoices.order_id"), nullable=False
        ),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text),
        sa.Column("worth", sa.Numeric, nullable=False),
        sa.Column("worth_currency", sa.Text, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("noted_surpluses")
