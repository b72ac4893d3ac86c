"""A part payment that an admin accepted pays its order: at most one an order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acceptances",
        sa.Column(
            "order_id",
            pg.UUID(as_uuid=True),
            sa.ForeignKey("invoices.order_id"),
            primary_key=True,
        ),
        sa.Column(
            "payment_id",
            sa.Text,
            sa.ForeignKey("payments.payment_id"),
            nullable=False,
            unique=True,
        ),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("acceptances")
