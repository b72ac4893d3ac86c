"""Job `tell_refunds`, one an order: the buyer is mailed about each step of what is owed back."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.adapters.refund_repository import TELL_REFUNDS
from orders.handlers.tell_refunds import TellRefunds


def tell_refunds_job(handler: TellRefunds, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(TELL_REFUNDS, handler, database=database, clock=clock, subject_is="order_id")
