"""Cases of keys that do not work, and the lines that replace theirs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_id = pg.UUID(as_uuid=True)
_timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("order_items", sa.Column("replaces", _id, sa.ForeignKey("order_items.id")))
    op.create_unique_constraint("order_items_replaces_key", "order_items", ["replaces"])
    op.create_table(
        "bad_key_cases",
        sa.Column("id", _id, primary_key=True),
        sa.Column("order_id", _id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("item_id", _id, sa.ForeignKey("order_items.id"), nullable=False, unique=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("opened_at", _timestamp, nullable=False),
        sa.Column("return_until", _timestamp),
        sa.Column("due_at", _timestamp, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("resolution", sa.Text),
        sa.Column("supplier_reference", sa.Text),
        sa.Column("resolved_at", _timestamp),
    )
    op.create_index("bad_key_cases_of_order", "bad_key_cases", ["order_id"])
    op.create_index("bad_key_cases_state", "bad_key_cases", ["state", "due_at", "id"])


def downgrade() -> None:
    op.drop_table("bad_key_cases")
    op.drop_constraint("order_items_replaces_key", "order_items")
    op.drop_column("order_items", "replaces")
