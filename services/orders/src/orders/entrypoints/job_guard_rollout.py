"""Job `guard_rollout`, one row: Kinguin goes a step back when too few lines get keys in time."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.handlers.guard_rollout import GUARD_ROLLOUT, GuardRollout


def guard_rollout_job(handler: GuardRollout, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(GUARD_ROLLOUT, handler, database=database, clock=clock, concurrency=1)
