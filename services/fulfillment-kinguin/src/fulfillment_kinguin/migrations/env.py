"""Where alembic finds the tables of this service."""

from alembic import context
from persistence.migrations import run_env

from fulfillment_kinguin.adapters.tables import metadata

run_env(context, metadata)
