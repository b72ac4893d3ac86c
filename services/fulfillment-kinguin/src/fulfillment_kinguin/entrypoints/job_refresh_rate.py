"""The job `refresh_rate`: hear the exchange rate every hour. There is one row of it."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner, Perform

from fulfillment_kinguin.domain.purchase import REFRESH_RATE


def refresh_rate_job(handler: Perform, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(REFRESH_RATE, handler, database=database, clock=clock, concurrency=1)
