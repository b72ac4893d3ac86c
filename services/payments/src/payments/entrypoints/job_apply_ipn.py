"""Job `apply_ipn`, one a notification: it gets its effect, at the latest after 24 h."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from payments.handlers.apply_ipn import ApplyIpn
from payments.handlers.jobs import APPLY_IPN


def apply_ipn_job(handler: ApplyIpn, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(APPLY_IPN, handler, database=database, clock=clock, subject_is="ipn_id")
