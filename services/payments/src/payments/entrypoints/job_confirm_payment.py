"""Job `confirm_payment`, one a payment: the gateway is asked whether it is really finished."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from payments.handlers.confirm_payment import ConfirmPayment
from payments.handlers.jobs import CONFIRM_PAYMENT


def confirm_payment_job(handler: ConfirmPayment, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(
        CONFIRM_PAYMENT, handler, database=database, clock=clock, subject_is="payment_id"
    )
