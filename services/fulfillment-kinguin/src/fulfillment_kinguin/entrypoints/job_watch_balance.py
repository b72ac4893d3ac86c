"""The job `watch_balance`: hear the balance every minute. There is one row of it."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner, Perform

from fulfillment_kinguin.domain.purchase import WATCH_BALANCE


def watch_balance_job(handler: Perform, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(WATCH_BALANCE, handler, database=database, clock=clock, concurrency=1)
