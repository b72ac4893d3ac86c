"""Job `report_accepted`, one an order: payments hears of a part payment accepted long ago."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.handlers.report_accepted import REPORT_ACCEPTED, ReportAccepted


def report_accepted_job(handler: ReportAccepted, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(
        REPORT_ACCEPTED, handler, database=database, clock=clock, subject_is="order_id"
    )
