"""The job `store`: encrypt the keys of a line and write them to R2."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from delivery.handlers.receive_keys import STORE
from delivery.handlers.store_keys import StoreKeys


def store_keys_job(handler: StoreKeys, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job."""
    return JobRunner(STORE, handler, database=database, clock=clock, subject_is="delivery_id")
