"""Job rows: claimed once, settled with their effect, tried again, never lost."""

import asyncio
from datetime import datetime, timedelta

import sqlalchemy as sa
from foundation.clock import new_id
from foundation.log_ids import add_log_ids
from foundation.testing import FixedClock
from persistence.database import Database, Transaction
from persistence.tables import jobs
from servicekit.jobs import Job, JobRunner, Settle, schedule, still_leased


class Work:
    """Performs jobs by remembering them; `plans` says what each settlement returns."""

    def __init__(self, *plans: datetime | Exception | None) -> None:
        self.performed: list[Job] = []
        self.settled: list[str] = []
        self._plans = list(plans)

    async def __call__(self, job: Job) -> Settle:
        self.performed.append(job)

        async def settle(_transaction: Transaction) -> datetime | None:
            plan = self._plans.pop(0) if self._plans else None
            if isinstance(plan, Exception):
                raise plan
            self.settled.append(job.subject)
            return plan

        return settle


def runner(work: Work, database: Database, clock: FixedClock) -> JobRunner:
    return JobRunner("work", work, database=database, clock=clock)


async def plan(database: Database, subject: str, due_at: datetime) -> None:
    async with database.transaction() as transaction:
        await schedule(transaction, "work", subject, due_at, {"about": subject})


async def rows(database: Database) -> list[sa.Row[tuple[object, ...]]]:
    async with database.transaction() as transaction:
        return list((await transaction.execute(sa.select(jobs))).all())


async def test_due_job_runs_once_and_is_gone(database: Database, clock: FixedClock) -> None:
    work = Work()
    await plan(database, "a", clock.now())

    ran = [await runner(work, database, clock).run_due() for _ in range(2)]

    assert ran == [1, 0]
    assert work.settled == ["a"]
    assert await rows(database) == []


async def test_job_waits_for_its_time(database: Database, clock: FixedClock) -> None:
    work = Work()
    await plan(database, "a", clock.now() + timedelta(seconds=30))

    assert await runner(work, database, clock).run_due() == 0
    clock.advance(30)
    assert await runner(work, database, clock).run_due() == 1


async def test_two_workers_never_have_the_same_job(database: Database, clock: FixedClock) -> None:
    work = Work()
    for number in range(40):
        await plan(database, str(number), clock.now())

    await asyncio.gather(*(runner(work, database, clock).run_due() for _ in range(4)))

    assert sorted(work.settled) == sorted({job.subject for job in work.performed})


async def test_failure_in_settling_undoes_its_effect_and_tries_again(
    database: Database, clock: FixedClock
) -> None:
    work = Work(RuntimeError("a bug"), None)
    await plan(database, "a", clock.now())

    await runner(work, database, clock).run_due()
    [row] = await rows(database)
    assert (row.attempts, row.last_error, row.lease_token) == (1, "RuntimeError", None)
    clock.advance(2)
    await runner(work, database, clock).run_due()

    assert work.settled == ["a"]


async def test_one_bad_settlement_does_not_hold_up_the_others(
    database: Database, clock: FixedClock
) -> None:
    work = Work(RuntimeError("a bug"))
    for subject in ("a", "b", "c"):
        await plan(database, subject, clock.now())

    await runner(work, database, clock).run_due()

    assert len(work.settled) == 2
    assert len(await rows(database)) == 1


async def test_job_scheduled_while_it_runs_runs_once_more(
    database: Database, clock: FixedClock
) -> None:
    performed: list[str] = []

    async def perform(job: Job) -> Settle:
        performed.append(job.subject)
        if len(performed) == 1:
            await plan(database, "a", clock.now())

        async def settle(_transaction: Transaction) -> None:
            return None

        return settle

    await plan(database, "a", clock.now())
    subject = JobRunner("work", perform, database=database, clock=clock)

    while await subject.run_due():
        pass

    assert performed == ["a", "a"]


async def test_job_may_schedule_itself_while_it_settles(
    database: Database, clock: FixedClock
) -> None:
    settled: list[str] = []

    async def perform(job: Job) -> Settle:
        async def settle(transaction: Transaction) -> None:
            settled.append(job.subject)
            if len(settled) == 1:
                await schedule(transaction, "work", job.subject, clock.now())

        return settle

    await plan(database, "a", clock.now())
    subject = JobRunner("work", perform, database=database, clock=clock)

    while await subject.run_due():
        pass

    assert settled == ["a", "a"]


async def test_worker_whose_lease_was_taken_settles_nothing(
    database: Database, clock: FixedClock
) -> None:
    fenced: list[bool] = []
    settled: list[str] = []

    async def perform(job: Job) -> Settle:
        async with database.transaction() as transaction:
            await transaction.execute(sa.update(jobs).values(lease_token=new_id()))
        async with database.transaction() as transaction:
            fenced.append(await still_leased(transaction, job))

        async def settle(_transaction: Transaction) -> None:
            settled.append(job.subject)

        return settle

    await plan(database, "a", clock.now())

    await JobRunner("work", perform, database=database, clock=clock).run_due()

    assert fenced == [False]
    assert settled == []
    assert len(await rows(database)) == 1


async def test_effect_of_a_worker_who_loses_its_lease_meanwhile_is_undone(
    database: Database, clock: FixedClock
) -> None:
    async def perform(_job: Job) -> Settle:
        async def settle(transaction: Transaction) -> None:
            await schedule(transaction, "effect", "a", clock.now())
            async with database.transaction() as other:
                await other.execute(
                    sa.update(jobs).where(jobs.c.kind == "work").values(lease_token=new_id())
                )

        return settle

    await plan(database, "a", clock.now())

    await JobRunner("work", perform, database=database, clock=clock).run_due()

    assert [row.kind for row in await rows(database)] == ["work"]


async def test_jobs_that_finish_together_are_settled_by_their_orders(
    database: Database, clock: FixedClock
) -> None:
    settled: list[str] = []

    async def perform(job: Job) -> Settle:
        add_log_ids(order_id=f"order of {job.subject}")

        async def settle(_transaction: Transaction) -> None:
            settled.append(job.subject)

        return settle

    for late, subject in enumerate(("c", "a", "b")):  # due in this order
        await plan(database, subject, clock.now() - timedelta(seconds=9 - late))

    await JobRunner("work", perform, database=database, clock=clock).run_due()

    assert settled == ["a", "b", "c"]


async def test_no_more_is_claimed_than_can_be_settled(
    database: Database, clock: FixedClock
) -> None:
    performed: list[str] = []
    is_away = True

    async def perform(job: Job) -> Settle:
        performed.append(job.subject)

        async def settle(_transaction: Transaction) -> None:
            if is_away:
                raise ConnectionError("PostgreSQL restarts")

        return settle

    for subject in "abcde":
        await plan(database, subject, clock.now())
    two = JobRunner("work", perform, database=database, clock=clock, concurrency=2)
    running = asyncio.create_task(two.run())
    await asyncio.sleep(2.5)  # two polls, and several tries to settle
    in_hand, is_away = len(performed), False

    async with asyncio.timeout(10):
        while await rows(database):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert in_hand == 2
    assert sorted(performed) == list("abcde")


async def test_scheduling_again_never_puts_a_job_off(database: Database, clock: FixedClock) -> None:
    await plan(database, "a", clock.now())

    await plan(database, "a", clock.now() + timedelta(hours=1))

    [row] = await rows(database)
    assert row.due_at == clock.now()


async def test_settling_that_fails_in_passing_does_not_repeat_the_work(
    database: Database, clock: FixedClock
) -> None:
    work = Work(ConnectionError("a deadlock, or PostgreSQL restarts"))
    await plan(database, "a", clock.now())
    running = asyncio.create_task(runner(work, database, clock).run())

    async with asyncio.timeout(5):
        while not work.settled:  # noqa: ASYNC110  the runner makes it true
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert len(work.performed) == 1


async def test_settlement_that_keeps_failing_does_not_hold_up_the_others(
    database: Database, clock: FixedClock
) -> None:
    async def perform(job: Job) -> Settle:
        async def settle(_transaction: Transaction) -> None:
            if job.subject == "locked":
                raise ConnectionError("somebody holds its rows")

        return settle

    for subject in ("locked", "free"):  # claimed and settled together
        await plan(database, subject, clock.now())
    running = asyncio.create_task(JobRunner("work", perform, database=database, clock=clock).run())

    async with asyncio.timeout(5):
        while len(left := await rows(database)) > 1:  # noqa: ASYNC110  the runner makes it true
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [row.subject for row in left] == ["locked"]
