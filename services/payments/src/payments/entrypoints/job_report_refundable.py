"""Job `report_refundable`, one a payment: orders hears of money that it was not told in full."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from payments.handlers.jobs import REPORT_REFUNDABLE
from payments.handlers.report_refundable import ReportRefundable


def report_refundable_job(handler: ReportRefundable, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(
        REPORT_REFUNDABLE, handler, database=database, clock=clock, subject_is="payment_id"
    )
