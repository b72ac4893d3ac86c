"""Job `reconcile`, one an order: lost notifications are found, unpaid orders expire."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from payments.handlers.jobs import RECONCILE
from payments.handlers.reconcile import Reconcile


def reconcile_job(handler: Reconcile, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(RECONCILE, handler, database=database, clock=clock, subject_is="order_id")
