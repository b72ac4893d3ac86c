"""Job rows: work that waits or is tried again, durable, one row a subject.

A job is claimed with a lease (SKIP LOCKED), performed outside any transaction, and
settled: its effect and the end of its row are one transaction. Jobs that finish at the
same moment share that transaction, each behind a savepoint. A worker whose lease
was lost settles nothing. This is the only layer that tries again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from foundation.clock import Clock, new_id
from foundation.crash import crash_point
from foundation.log_ids import current_log_ids, log_ids
from foundation.telemetry import current_traceparent, span_from
from persistence.database import Database, Transaction, is_transient
from persistence.measures import savepoint
from persistence.notifications import notify
from persistence.tables import jobs

from servicekit.job_rows import (
    CHECKING,
    CLAIMED,
    DELETING,
    PUTTING_OFF,
    SCHEDULING,
    claiming,
)
from servicekit.outbox import wait_for_wake

# Ends before the lease does, so that a slow worker never works on somebody else's job.
PERFORM_TIMEOUT_S: Final = 45
POLL_S: Final = 1.0
SETTLE_PAUSE_S: Final = 0.2
MAX_RETRY_DELAY_S: Final = 300

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed row. `attempt` is 1 on the first try."""

    kind: str
    subject: str
    payload: Mapping[str, Any]
    attempt: int
    revision: int
    lease_token: UUID
    traceparent: str | None


Settle = Callable[[Transaction], Awaitable[datetime | None]]
"""Writes the effect; returns when the job is due again, or None when it is done."""

Perform = Callable[[Job], Awaitable[Settle]]
"""Does the work outside any transaction; raising means: try again later."""


async def schedule(
    transaction: Transaction,
    kind: str,
    subject: object,
    due_at: datetime,
    payload: Mapping[str, Any] | None = None,
    *,
    traceparent: str | None = None,
) -> None:
    """Make a job, or bring an existing one forward; it is never put off.

    A job that is running at the moment is run once more afterwards. `traceparent` is the trace
    that it belongs to; without one it is the active one.
    """
    row = {
        "kind": kind,
        "subject": str(subject),
        "payload": dict(payload or {}),
        "due_at": due_at,
        "traceparent": traceparent or current_traceparent(),
    }
    await transaction.execute(SCHEDULING, row)
    await notify(transaction, "jobs")


async def is_due(transaction: Transaction, kind: str, subject: object, now: datetime) -> bool:
    """Whether a job is to run at this moment, or runs; its row is locked until the end.

    So of two people who want it at once, the second sees what the first has done.
    """
    due_at: datetime | None = await transaction.scalar(
        sa.select(jobs.c.due_at)
        .where(jobs.c.kind == kind, jobs.c.subject == str(subject))
        .with_for_update()
    )
    return due_at is not None and due_at <= now


async def traceparent_of(transaction: Transaction, kind: str, subject: object) -> str | None:
    """The trace that a waiting job belongs to; None where there is none."""
    found: str | None = await transaction.scalar(
        sa.select(jobs.c.traceparent).where(jobs.c.kind == kind, jobs.c.subject == str(subject))
    )
    return found


async def cancel(transaction: Transaction, kind: str, subject: object) -> None:
    """Remove a job; one that is running will find its lease gone and settle nothing."""
    await transaction.execute(
        sa.delete(jobs).where(jobs.c.kind == kind, jobs.c.subject == str(subject))
    )


async def still_leased(transaction: Transaction, job: Job) -> bool:
    """Whether the lease is still ours and fresh: the fence before an effect outside."""
    found = await transaction.scalar(
        sa.select(sa.literal(1))
        .select_from(jobs)
        .where(*CLAIMED, jobs.c.lease_until > sa.func.clock_timestamp())
        .with_for_update(),
        _claim_of(job),
    )
    return found is not None


def retry_delay(attempt: int) -> timedelta:
    """Wait before try `attempt + 1`: 1, 2, 4 ... 300 s, with up to half of it as jitter."""
    ceiling: float = min(MAX_RETRY_DELAY_S, 2.0 ** min(attempt - 1, 16))
    return timedelta(seconds=ceiling * random.uniform(0.5, 1.0))  # noqa: S311  no secret


def _claim_of(job: Job) -> dict[str, object]:
    return {"job_kind": job.kind, "job_subject": job.subject, "token": job.lease_token}


@dataclass(frozen=True, slots=True)
class _Finished:
    job: Job
    settle: Settle
    log_ids: Mapping[str, str]


class _LeaseLost(Exception):
    """Somebody else has taken the job over, or it was cancelled."""


class JobRunner:
    """Runs the jobs of one kind, `concurrency` at a time.

    `subject_is` is what lines call the subject: `order_id`, `purchase_id` ... Work that learns of
    its order later says so by `add_log_ids`; its settlement carries the same ids.
    """

    def __init__(
        self,
        kind: str,
        perform: Perform,
        *,
        database: Database,
        clock: Clock,
        concurrency: int = 32,
        subject_is: str = "subject",
    ) -> None:
        self.kind = kind
        self._subject_is = subject_is
        self._perform = perform
        self._database = database
        self._clock = clock
        self.wake = asyncio.Event()
        self._concurrency = concurrency
        self._running: set[asyncio.Task[None]] = set()
        # Claimed and not settled: what waits to be settled counts, or its lease would end in line.
        self._in_hand = 0
        self._finished: asyncio.Queue[_Finished] = asyncio.Queue()
        self._claiming = claiming(kind)  # built once: every runner asks it every second

    async def run(self) -> None:
        """Run for ever; jobs in hand at the end are taken up again when their lease ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle_for_ever())
            group.create_task(self._claim_for_ever())

    async def run_due(self) -> int:
        """Run what is due now to its settlement, once; return how many jobs that were."""
        claimed = await self._claim(self._concurrency)
        await asyncio.gather(*(self._work(job) for job in claimed))
        await self._settle([self._finished.get_nowait() for _ in claimed])
        return len(claimed)

    async def _claim_for_ever(self) -> None:
        while True:
            free = max(0, self._concurrency - self._in_hand)
            try:
                claimed = await self._claim(free) if free else []
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("jobs.claim_failed", kind=self.kind, error=repr(error))
                claimed = []
            self._in_hand += len(claimed)
            if claimed:
                crash_point("job.claimed")
            for job in claimed:
                task = asyncio.create_task(self._work(job), name=f"{job.kind}:{job.subject}")
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if len(claimed) < max(free, 1):
                await wait_for_wake(self.wake, POLL_S)

    async def _claim(self, limit: int) -> list[Job]:
        parameters = {"now": self._clock.now(), "token": new_id(), "most": limit}
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(self._claiming, parameters)).all()
        return [_job(row) for row in rows]

    async def _work(self, job: Job) -> None:
        with span_from(job.traceparent, f"job {job.kind}"), log_ids(**self._ids(job)):
            try:
                async with asyncio.timeout(PERFORM_TIMEOUT_S):
                    settle = await self._perform(job)
            except Exception as error:  # noqa: BLE001  every failure means: try again later
                settle = self._try_again(job, error)
            ids = current_log_ids()
        await self._finished.put(_Finished(job, settle, ids))

    def _ids(self, job: Job) -> dict[str, str]:
        return {"job": job.kind, self._subject_is: job.subject}

    def _try_again(self, job: Job, error: Exception) -> Settle:
        _log.warning(
            "job.failed",
            kind=job.kind,
            subject=job.subject,
            attempt=job.attempt,
            error=repr(error),
            exc_info=not is_transient(error),
        )

        async def settle(transaction: Transaction) -> datetime:
            await transaction.execute(
                sa.update(jobs).where(*CLAIMED).values(last_error=type(error).__name__),
                _claim_of(job),
            )
            return self._clock.now() + retry_delay(job.attempt)

        return settle

    async def _settle_for_ever(self) -> None:
        """Settle, however often: a deadlock or an outage must not have the work done twice.

        It ends: whose lease was taken over meanwhile settles nothing. After a failure each goes
        alone, so that one job whose rows stay locked does not hold up the others.
        """
        while True:
            batch = [await self._finished.get()]
            while not self._finished.empty():
                batch.append(self._finished.get_nowait())
            if await self._is_settled(batch):
                continue
            await asyncio.sleep(SETTLE_PAUSE_S)
            for finished in batch:
                if not await self._is_settled([finished]):
                    self._finished.put_nowait(finished)
                    await asyncio.sleep(SETTLE_PAUSE_S)  # an outage is no reason to hurry

    async def _is_settled(self, batch: Sequence[_Finished]) -> bool:
        try:
            await self._settle(batch)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("jobs.settle_failed", kind=self.kind, error=repr(error))
            return False
        self._in_hand -= len(batch)
        self.wake.set()
        return True

    async def _settle(self, batch: Sequence[_Finished]) -> None:
        """Settle jobs in one transaction, by their order: so do all runners of a service.

        Two batches that lock rows of the same orders then never wait for each other crosswise.
        """
        if not batch:
            return
        async with self._database.transaction() as transaction:
            for finished in sorted(batch, key=_order):
                span = span_from(finished.job.traceparent, f"settle {finished.job.kind}")
                with span, log_ids(**finished.log_ids):
                    await self._settle_one(transaction, finished)
            await notify(transaction, "jobs")
            crash_point("job.before_commit")
        crash_point("job.after_commit")

    async def _settle_one(self, transaction: Transaction, finished: _Finished) -> None:
        try:
            await self._settle_leased(transaction, finished.job, finished.settle)
        except Exception as error:
            if is_transient(error):
                raise
            again = self._try_again(finished.job, error)
            await self._settle_leased(transaction, finished.job, again)

    async def _settle_leased(self, transaction: Transaction, job: Job, settle: Settle) -> None:
        """The effect and the end of its row, or neither when the lease is somebody else's.

        The row is looked at first and locked last: its effect locks what it is about before it,
        as do those who schedule the job.
        """
        try:
            async with savepoint(transaction):
                await _check_leased(transaction, job)
                await _end(transaction, job, await settle(transaction))
        except _LeaseLost:
            _log.warning("job.lease_lost", kind=job.kind, subject=job.subject)


def _order(finished: _Finished) -> str:
    return finished.log_ids.get("order_id", finished.job.subject)


async def _check_leased(transaction: Transaction, job: Job) -> None:
    if await transaction.scalar(CHECKING, _claim_of(job)) is None:
        raise _LeaseLost


async def _end(transaction: Transaction, job: Job, due_at: datetime | None) -> None:
    """Delete the row or put it off; one that was scheduled anew meanwhile stays due.

    Raises:
        _LeaseLost: it is somebody else's.
    """
    claim = _claim_of(job) | {"at_revision": job.revision}
    if due_at is None:
        done = await transaction.execute(DELETING, claim)
        if done.rowcount:
            return
    ended = await transaction.execute(PUTTING_OFF, claim | {"next_due_at": due_at})
    if not ended.rowcount:
        raise _LeaseLost


def _job(row: sa.Row[Any]) -> Job:
    return Job(
        kind=row.kind,
        subject=row.subject,
        payload=row.payload,
        attempt=row.attempts,
        revision=row.revision,
        lease_token=row.lease_token,
        traceparent=row.traceparent,
    )
