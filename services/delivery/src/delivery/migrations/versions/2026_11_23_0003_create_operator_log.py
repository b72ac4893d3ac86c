"""What operators do with the command line is on record."""

from alembic import op
from persistence.migrations import create_operator_log, drop_operator_log

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_operator_log(op)


def downgrade() -> None:
    drop_operator_log(op)
