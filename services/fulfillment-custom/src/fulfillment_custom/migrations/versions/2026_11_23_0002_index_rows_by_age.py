"""Find the rows that are old enough to be deleted."""

from alembic import op
from persistence.migrations import drop_inbox_index, index_inbox_by_age

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_inbox_by_age(op)


def downgrade() -> None:
    drop_inbox_index(op)
