"""Part payments that were accepted already are told to payments, which owes back the others."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO jobs (kind, subject, payload, due_at)"
        " SELECT 'report_accepted', id, '{}', now() FROM orders"
        " WHERE money = 'paid' AND payment_state = 'partially_paid' AND payment_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'report_accepted'")
