"""The job `return_keys`: give unwanted keys back to Kinguin. Its subject is the purchase id."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from fulfillment_kinguin.domain.purchase import RETURN_KEYS
from fulfillment_kinguin.handlers.return_keys import ReturnKeys

_CONCURRENCY = 4


def return_keys_job(handler: ReturnKeys, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(
        RETURN_KEYS,
        handler,
        database=database,
        clock=clock,
        concurrency=_CONCURRENCY,
        subject_is="purchase_id",
    )
