"""Job `let_go_underpaid`, one an underpaid order: its keys go back to the shelf in time."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.handlers.let_go_underpaid import LET_GO_UNDERPAID, LetGoUnderpaid


def let_go_underpaid_job(handler: LetGoUnderpaid, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(
        LET_GO_UNDERPAID, handler, database=database, clock=clock, subject_is="order_id"
    )
