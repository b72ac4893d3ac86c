"""The job `refresh_rate`: hear the exchange rate every hour. There is one row of it."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from fulfillment_kinguin.domain.purchase import REFRESH_RATE
from fulfillment_kinguin.handlers.refresh_rate import RefreshRate


def refresh_rate_job(handler: RefreshRate, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(REFRESH_RATE, handler, database=database, clock=clock, concurrency=1)
