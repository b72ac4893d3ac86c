"""The job `place`: take planned purchases to Kinguin. Its subject is the purchase id."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from fulfillment_kinguin.domain.purchase import PLACE
from fulfillment_kinguin.handlers.place_purchase import PlacePurchase

# More would only wait for the rate limit, with their leases running.
_CONCURRENCY = 8


def place_job(handler: PlacePurchase, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(
        PLACE,
        handler,
        database=database,
        clock=clock,
        concurrency=_CONCURRENCY,
        subject_is="purchase_id",
    )
