"""Where alembic finds the tables of this service."""

from alembic import context
from persistence.migrations import run_env

from payments.adapters.tables import metadata

run_env(context, metadata)
