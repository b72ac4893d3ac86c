"""The balance that Kinguin told, beside the other guards: replicas spend from one figure."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplier_guard", sa.Column("balance_eur", sa.Numeric(20, 8)))
    op.add_column("supplier_guard", sa.Column("balance_heard_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("supplier_guard", "balance_heard_at")
    op.drop_column("supplier_guard", "balance_eur")
