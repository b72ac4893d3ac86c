"""The job `mail`: hand the mails about one order, or one other matter, to the server."""

from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import JobRunner

from delivery.handlers.send_mails import MAIL, SendMails


def send_mails_job(handler: SendMails, database: Database, clock: Clock) -> JobRunner:
    """The runner of this job; a few at a time, as mail servers limit connections."""
    return JobRunner(
        MAIL, handler, database=database, clock=clock, concurrency=8, subject_is="about"
    )
