"""What a job does at its end: come again, or pass the purchase on to another job."""

from datetime import datetime, timedelta
from uuid import UUID

from persistence.database import Transaction
from servicekit.jobs import Job, Settle, schedule

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.errors import SupplierError

LONGEST_RETRY_AFTER = timedelta(minutes=15)
"""Nobody is obeyed longer than this."""


async def pass_on(
    transaction: Transaction,
    job: Job,
    kind: str,
    purchase_id: UUID,
    due_at: datetime,
    now: datetime,
) -> datetime | None:
    """Let a job of `kind` go on with the purchase; what the settlement of `job` returns."""
    await purchase_repository.update(transaction, purchase_id, now, next_attempt_at=due_at)
    if job.kind == kind:
        return due_at  # scheduling its own row would be undone by the end of this run
    await schedule(transaction, kind, purchase_id, due_at)
    return None


async def nothing(_transaction: Transaction) -> None:
    """Settle a job that has nothing to do any more."""


async def rest(_job: Job) -> Settle:
    """End a standing job while buying is off in the settings; the next start makes it again."""
    return nothing


def again_at(due_at: datetime) -> Settle:
    """Settle a job that must look again."""

    async def settle(_transaction: Transaction) -> datetime:
        return due_at

    return settle


def not_before(due_at: datetime, error: SupplierError | None, now: datetime) -> datetime:
    """`due_at`, or later if the supplier asked for it (`Retry-After`)."""
    if error is None or error.retry_after_s is None:
        return due_at
    asked = min(timedelta(seconds=error.retry_after_s), LONGEST_RETRY_AFTER)
    return max(due_at, now + asked)


def describe(error: SupplierError) -> str:
    """The error for rows and messages: never longer than a line."""
    return f"{type(error).__name__}: {error}"[:300]
