"""Since when the rollout is as it is, and when a line was first asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "rollout", sa.Column("stepped_at", _timestamp, nullable=False, server_default=sa.func.now())
    )
    op.add_column("order_items", sa.Column("requested_at", _timestamp))
    op.create_index(
        "order_items_asked_of_kinguin",
        "order_items",
        ["requested_at"],
        postgresql_where=sa.text("product_source_type = 'kinguin'"),
    )


def downgrade() -> None:
    op.drop_index("order_items_asked_of_kinguin", "order_items")
    op.drop_column("order_items", "requested_at")
    op.drop_column("rollout", "stepped_at")
