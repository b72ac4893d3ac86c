"""Job `ask_again`, one a paid order: lines without keys are asked for again, up to a limit."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from orders.handlers.ask_again import AskAgain
from orders.handlers.request_lines import ASK_AGAIN


def ask_again_job(handler: AskAgain, database: Database, clock: Clock) -> JobRunner:
    """The runner of this kind."""
    return JobRunner(ASK_AGAIN, handler, database=database, clock=clock, subject_is="order_id")
