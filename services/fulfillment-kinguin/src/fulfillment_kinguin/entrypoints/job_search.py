"""The job `search`: find orders whose answer was lost. Its subject is the purchase id."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from fulfillment_kinguin.domain.purchase import SEARCH
from fulfillment_kinguin.handlers.search_purchase import SearchPurchase

# More would only wait for the rate limit, with their leases running.
_CONCURRENCY = 8


def search_job(handler: SearchPurchase, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(
        SEARCH,
        handler,
        database=database,
        clock=clock,
        concurrency=_CONCURRENCY,
        subject_is="purchase_id",
    )
