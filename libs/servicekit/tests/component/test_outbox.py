"""The relay: in order, one at a time, and nothing is lost when sending fails."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from contracts.testing import a_key_ready, a_payment_confirmed, a_sealed_key
from persistence.database import Database
from persistence.tables import outbox, outbox_lease
from servicekit.outbox import MAX_FAILURES, MessageTooLarge, OutboxRelay, ProducerWedged, emit


class RecordingSender:
    """Acknowledges everything, or fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[str] = []
        self._failures = failures

    async def __call__(
        self, body: bytes, *, topic: str, key: bytes, headers: Mapping[str, str]
    ) -> asyncio.Future[Any]:
        assert body
        assert topic
        assert key
        if self._failures:
            self._failures -= 1
            raise ConnectionError("kafka is away")
        self.sent.append(headers["message_id"])
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def relay(
    database: Database, sender: RecordingSender, *, kafka_answers: bool = False
) -> OutboxRelay:
    async def answers() -> bool:
        return kafka_answers

    return OutboxRelay(database, sender, asyncio.Event(), answers)


async def test_messages_go_out_in_order_and_are_gone(database: Database) -> None:
    sender, messages = RecordingSender(), [a_payment_confirmed() for _ in range(700)]
    async with database.transaction() as transaction:
        await emit(transaction, *messages)
    subject = relay(database, sender)

    sent = [await subject.flush() for _ in range(3)]

    assert sent == [500, 200, 0]
    assert sender.sent == [str(message.id) for message in messages]


async def test_rolled_back_message_is_never_sent(database: Database) -> None:
    sender = RecordingSender()
    async with database.engine.connect() as connection, connection.begin() as transaction:
        await emit(connection, a_payment_confirmed())
        await transaction.rollback()

    assert await relay(database, sender).flush() == 0


async def test_second_relay_stands_by_until_the_lease_ends(database: Database) -> None:
    sender = RecordingSender()
    first, second = relay(database, sender), relay(database, sender)
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())
    assert await first.flush() == 1
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())

    assert await second.flush() == 0
    async with database.transaction() as transaction:
        past = sa.func.clock_timestamp() - sa.text("interval '1 second'")
        await transaction.execute(sa.update(outbox_lease).values(held_until=past))

    assert await second.flush() == 1


async def test_failed_batch_stays_and_goes_out_later(database: Database) -> None:
    sender = RecordingSender(failures=1)
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())
    subject = relay(database, sender)

    with pytest.raises(ConnectionError):
        await subject.flush()

    assert await subject.flush() == 1
    async with database.transaction() as transaction:
        assert (await transaction.execute(sa.select(outbox))).all() == []


async def test_message_kafka_would_refuse_is_refused_at_once(database: Database) -> None:
    key = a_sealed_key()
    huge = key.model_copy(
        update={"sealed": key.sealed.model_copy(update={"ciphertext": "x" * 1_100_000})}
    )

    with pytest.raises(MessageTooLarge):
        async with database.transaction() as transaction:
            await emit(transaction, a_key_ready(keys=(huge,)))


async def test_relay_outlives_an_absence_of_kafka(database: Database) -> None:
    sender = RecordingSender(failures=MAX_FAILURES * 2)
    subject = relay(database, sender)
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())

    for _ in range(MAX_FAILURES * 2):
        with pytest.raises(ConnectionError):
            await subject.flush()

    assert await subject.flush() == 1


async def test_producer_that_fails_while_kafka_answers_asks_for_a_fresh_process(
    database: Database,
) -> None:
    subject = relay(database, RecordingSender(failures=MAX_FAILURES), kafka_answers=True)
    async with database.transaction() as transaction:
        await emit(transaction, a_payment_confirmed())
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(ConnectionError):
            await subject.flush()

    with pytest.raises(ProducerWedged):
        await subject.run()
