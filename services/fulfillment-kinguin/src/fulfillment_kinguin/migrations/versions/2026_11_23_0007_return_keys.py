"""How far the return of a purchase's keys to the supplier is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchases", sa.Column("return_requested_at", sa.DateTime(timezone=True)))
    for name in ("return_posts", "return_looks"):
        op.add_column(
            "purchases", sa.Column(name, sa.Integer, nullable=False, server_default="0")
        )
    op.add_column(
        "purchases",
        sa.Column("return_taken", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    for name in ("return_taken", "return_looks", "return_posts", "return_requested_at"):
        op.drop_column("purchases", name)
