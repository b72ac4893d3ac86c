"""Who else has a key is asked whenever keys come."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "deliveries_fingerprints", "deliveries", ["fingerprints"], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_index("deliveries_fingerprints", "deliveries")
