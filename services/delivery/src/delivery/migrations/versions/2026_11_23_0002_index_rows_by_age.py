"""Find the rows that are old enough to be deleted."""

from alembic import op
from persistence.migrations import drop_inbox_index, index_inbox_by_age

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_inbox_by_age(op)
    op.create_index("wrong_tries_at", "wrong_tries", ["at"])


def downgrade() -> None:
    op.drop_index("wrong_tries_at", "wrong_tries")
    drop_inbox_index(op)
