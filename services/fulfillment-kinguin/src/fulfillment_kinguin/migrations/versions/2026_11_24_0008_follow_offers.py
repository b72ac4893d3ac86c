"""The offers that the catalogue uses, and what orders heard of them last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_timestamp = sa.DateTime(timezone=True)
_money = sa.Numeric(20, 8)
_followed = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "followed_offers",
        sa.Column("product_id", pg.UUID(as_uuid=True), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kinguin_product_id", sa.Text),
        sa.Column("kinguin_offer_id", sa.Text),
        sa.Column("followed_since", _timestamp, nullable=False),
        sa.Column("due_at", _timestamp),
        sa.Column("seen_at", _timestamp),
        sa.Column("told_at", _timestamp),
        sa.Column("price_eur", _money),
        sa.Column("cost_usd", _money),
        sa.Column("quantity", sa.Integer),
    )
    op.create_index("followed_offers_due", "followed_offers", ["due_at"], postgresql_where=_followed)
    op.create_index(
        "followed_offers_product",
        "followed_offers",
        ["kinguin_product_id"],
        postgresql_where=_followed,
    )


def downgrade() -> None:
    op.drop_table("followed_offers")
    op.execute("DELETE FROM jobs WHERE kind = 'refresh_offers'")
