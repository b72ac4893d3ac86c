"""What consumers and jobs log names the order, the message and the trace, and no secret."""

import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from contracts import PaymentConfirmed
from contracts.testing import a_payment_confirmed
from foundation.log_ids import add_log_ids, current_log_ids
from foundation.testing import FixedClock, captured_log
from persistence.database import Database, Transaction
from servicekit.consumer import BatchConsumer, Consumer
from servicekit.dead_letters import Record
from servicekit.jobs import Job, JobRunner, Settle, schedule

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
ORDER_ID = "01930000-1234-7123-8123-123456789012"

_log = structlog.get_logger()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with captured_log("orders") as log:
        yield log


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def line(log: io.StringIO, event: str) -> dict[str, Any]:
    [found] = [it for it in lines(log) if it["event"] == event]
    return found


async def work(job: Job) -> Settle:
    """Learns of its order only while it works."""
    add_log_ids(order_id=ORDER_ID)
    _log.info("work.performed")
    if job.payload.get("fails"):
        raise RuntimeError("of no use")

    async def settle(_transaction: Transaction) -> None:
        _log.info("work.settled")

    return settle


async def run(database: Database, clock: FixedClock, **payload: object) -> None:
    async with database.transaction() as transaction:
        await schedule(transaction, "store", "d-1", clock.now(), payload, traceparent=TRACEPARENT)
    runner = JobRunner("store", work, database=database, clock=clock, subject_is="delivery_id")
    await runner.run_due()


async def test_work_and_its_settlement_name_the_same_ids(
    database: Database, clock: FixedClock, log: io.StringIO
) -> None:
    await run(database, clock)

    ids = {"job": "store", "delivery_id": "d-1", "order_id": ORDER_ID, "trace_id": TRACE_ID}
    assert ids.items() <= line(log, "work.performed").items()
    assert ids.items() <= line(log, "work.settled").items()
    assert current_log_ids() == {}


async def test_failed_work_names_its_ids(
    database: Database, clock: FixedClock, log: io.StringIO
) -> None:
    await run(database, clock, fails=True)

    failed = line(log, "job.failed")
    assert (failed["order_id"], failed["delivery_id"]) == (ORDER_ID, "d-1")
    assert (failed["trace_id"], failed["attempt"]) == (TRACE_ID, 1)


def consumer_of(database: Database, clock: FixedClock, *, fails: bool = False) -> Any:
    async def handle(_transaction: Transaction, _message: PaymentConfirmed) -> None:
        _log.info("order.paid")
        if fails:
            raise RuntimeError("of no use")

    async def give_up(_transaction: Transaction, _order: UUID | None, _reason: str) -> None:
        _log.info("order.flagged")

    return BatchConsumer(Consumer(PaymentConfirmed, "orders", handle, give_up), database, clock)


def record_of(message: PaymentConfirmed) -> Record:
    body = message.model_dump_json().encode()
    headers = {"traceparent": TRACEPARENT}
    return Record("payment.confirmed", 0, 7, message.key.encode(), body, headers)


async def test_handled_message_names_order_message_and_trace(
    database: Database, clock: FixedClock, log: io.StringIO
) -> None:
    message = a_payment_confirmed()

    await consumer_of(database, clock)([record_of(message)])

    found = line(log, "order.paid")
    assert found["order_id"] == str(message.order_id)
    assert found["message_id"] == str(message.id)
    assert (found["topic"], found["trace_id"]) == ("payment.confirmed", TRACE_ID)
    assert current_log_ids() == {}


async def test_message_that_fails_and_one_that_cannot_be_read_name_their_order(
    database: Database, clock: FixedClock, log: io.StringIO
) -> None:
    message = a_payment_confirmed()
    unreadable = Record("payment.confirmed", 0, 8, ORDER_ID.encode(), b"AAAAA-BBBBB-CCCCC", {})

    await consumer_of(database, clock, fails=True)([record_of(message)])
    await consumer_of(database, clock)([unreadable])

    assert line(log, "message.failed")["key"] == str(message.order_id)
    assert line(log, "message.unreadable")["key"] == ORDER_ID
    assert "AAAAA-BBBBB" not in log.getvalue()
