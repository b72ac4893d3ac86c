"""The job `refresh_offers`: hear what the followed offers cost. There is one row of it."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner, Perform

from fulfillment_kinguin.domain.purchase import REFRESH_OFFERS


def refresh_offers_job(handler: Perform, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(REFRESH_OFFERS, handler, database=database, clock=clock, concurrency=1)
