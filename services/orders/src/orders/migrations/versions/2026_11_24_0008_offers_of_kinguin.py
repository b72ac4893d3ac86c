"""What Kinguin's offers cost, and a version of each product by which changes of it are told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_money = sa.Numeric(20, 8)


def upgrade() -> None:
    op.add_column(
        "products", sa.Column("version", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_table(
        "kinguin_offers",
        sa.Column("kinguin_product_id", sa.Text, primary_key=True),
        sa.Column("kinguin_offer_id", sa.Text, primary_key=True),
        sa.Column("price_eur", _money),
        sa.Column("cost_usd", _money),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("kinguin_offers_seen_at", "kinguin_offers", ["seen_at"])
    op.execute(
        "INSERT INTO jobs (kind, subject, payload, due_at)"
        " SELECT 'tell_product', id::text, '{}', now() FROM products"
        " WHERE kinguin_product_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'tell_product'")
    op.drop_table("kinguin_offers")
    op.drop_column("products", "version")
