"""What is owed back already is told to orders, which has a refund for each from now on."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO refundables (payment_id, order_id, amount, currency, reason, noted_at)"
        " SELECT p.payment_id, p.order_id, actually_paid - pay_amount, pay_currency,"
        " 'more than was asked for', now()"
        " FROM payments p JOIN confirmations c ON c.payment_id = p.payment_id"
        " WHERE pay_amount > 0 AND actually_paid > pay_amount ON CONFLICT DO NOTHING"
    )
    op.execute(
        "INSERT INTO jobs (kind, subject, payload, due_at)"
        " SELECT 'report_refundable', payment_id, '{}', now() FROM refundables"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'report_refundable'")
