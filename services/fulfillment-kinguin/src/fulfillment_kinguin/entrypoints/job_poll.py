"""The job `poll`: look at orders until their keys are here. Its subject is the purchase id."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from fulfillment_kinguin.domain.purchase import POLL
from fulfillment_kinguin.handlers.poll_purchase import PollPurchase

# More would only wait for the rate limit, with their leases running.
_CONCURRENCY = 16


def poll_job(handler: PollPurchase, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(
        POLL,
        handler,
        database=database,
        clock=clock,
        concurrency=_CONCURRENCY,
        subject_is="purchase_id",
    )
