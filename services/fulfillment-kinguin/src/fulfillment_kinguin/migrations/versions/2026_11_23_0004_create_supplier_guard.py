"""What was committed to be spent and when, at which rate, and the breaker all replicas share."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchases", sa.Column("committed_eur", sa.Numeric(20, 8)))
    op.add_column("purchases", sa.Column("committed_at", sa.DateTime(timezone=True)))
    op.add_column("purchases", sa.Column("eur_usd_rate", sa.Numeric(20, 8)))
    op.create_index(
        "purchases_committed",
        "purchases",
        ["committed_at"],
        postgresql_where=sa.text("committed_eur IS NOT NULL"),
    )
    op.create_table(
        "supplier_guard",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("first_failure_at", sa.DateTime(timezone=True)),
        sa.Column("open_until", sa.DateTime(timezone=True)),
    )
    op.execute("INSERT INTO supplier_guard VALUES (1, 0, NULL, NULL)")


def downgrade() -> None:
    op.drop_table("supplier_guard")
    op.drop_index("purchases_committed", "purchases")
    for column in ("eur_usd_rate", "committed_at", "committed_eur"):
        op.drop_column("purchases", column)
