"""The figures alerts stand on are those of the rows."""

from datetime import timedelta

import sqlalchemy as sa
from contracts.testing import a_payment_confirmed
from foundation.clock import SystemClock, new_id
from persistence.database import Database
from persistence.tables import dead_letters, jobs
from servicekit.jobs import schedule
from servicekit.outbox import emit
from servicekit.sampler import Sampler


async def test_gauges_show_what_waits_fails_and_was_given_up(database: Database) -> None:
    now = SystemClock().now()
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())
        await schedule(transaction, "late", "a", now - timedelta(minutes=1))
        await schedule(transaction, "early", "b", now + timedelta(minutes=1))
        failed = sa.update(jobs).where(jobs.c.kind == "early").values(last_error="OSError")
        await transaction.execute(failed)
        await transaction.execute(
            sa.insert(dead_letters).values(
                id=new_id(),
                consumer="c",
                topic="key.ready",
                partition=0,
                kafka_offset=0,
                headers={},
                error="e",
            )
        )
    sampler = Sampler(database)

    await sampler.sample()

    def value(name: str, **labels: str) -> float | None:
        return sampler.registry.get_sample_value(name, labels)

    assert value("outbox_pending") == 1
    assert value("jobs_due", kind="late") == 1
    assert value("jobs_due", kind="early") is None
    assert (value("jobs_oldest_due_age_seconds", kind="late") or 0) >= 60
    assert value("jobs_failing", kind="early") == 1
    assert value("dead_letters", topic="key.ready") == 1
