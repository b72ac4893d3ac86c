"""Job `create_invoice`, one an order: the gateway makes its invoice."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from payments.handlers.create_invoice import CreateInvoice
from payments.handlers.jobs import CREATE_INVOICE


def create_invoice_job(handler: CreateInvoice, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(CREATE_INVOICE, handler, database=database, clock=clock, subject_is="order_id")
