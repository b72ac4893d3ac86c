"""The runtime on a real broker: relay, batches, poison, duplicates, redelivery."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from contracts import Message, PaymentConfirmed, PaymentUpdated, Topic
from contracts.testing import a_payment_confirmed, a_payment_updated
from foundation.settings import ServiceSettings
from foundation.testing import captured_log
from persistence.database import Database, Transaction
from persistence.tables import dead_letters, outbox
from pydantic import SecretStr
from servicekit.consumer import Consumer
from servicekit.kafka import TopicsMissing
from servicekit.outbox import emit
from servicekit.runtime import Runtime, Service
from stack.endpoints import KafkaServer
from stack.parts.broker_choice import Broker

pytestmark = pytest.mark.integration


class Journal:
    """Handles messages by remembering them; can be told to fail."""

    def __init__(self) -> None:
        self.seen: list[UUID] = []
        self.flagged: list[UUID | None] = []
        self.fail_on: Callable[[Message], Exception | None] = lambda _message: None

    async def handle(self, _transaction: Transaction, message: PaymentConfirmed) -> None:
        if error := self.fail_on(message):
            raise error
        self.seen.append(message.id)

    async def give_up(self, _transaction: Transaction, order: UUID | None, _reason: str) -> None:
        self.flagged.append(order)


@pytest.fixture(scope="module")
def topics(kafka: KafkaServer) -> KafkaServer:
    kafka.create_topics([Topic.PAYMENT_CONFIRMED, Topic.PAYMENT_UPDATED])
    return kafka


def journal_service(
    kafka: KafkaServer, database: Database, database_url: SecretStr, journal: Journal, group: str
) -> Service:
    return Service(
        package="journal",
        settings=ServiceSettings(
            environment="development",
            database_url=database_url,
            kafka_bootstrap_servers=kafka.bootstrap_servers,
        ),
        database=database,
        consumers=(Consumer(PaymentConfirmed, group, journal.handle, journal.give_up),),
    )


@asynccontextmanager
async def running(
    kafka: KafkaServer, database_url: SecretStr, journal: Journal, group: str
) -> AsyncIterator[Database]:
    database = Database.connect(database_url)
    service = journal_service(kafka, database, database_url, journal, group)
    async with Runtime(service).running():
        yield database
    await database.dispose()


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  another task or process makes it true
            await asyncio.sleep(0.05)


@asynccontextmanager
async def producing(kafka: KafkaServer) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    yield producer
    await producer.stop()


async def outbox_size(database: Database) -> int:
    async with database.transaction() as transaction:
        return int(await transaction.scalar(sa.select(sa.func.count()).select_from(outbox)) or 0)


async def test_outbox_reaches_a_consumer_once_each(
    topics: KafkaServer, database_url: SecretStr
) -> None:
    journal = Journal()
    messages = [a_payment_confirmed() for _ in range(300)]
    async with running(topics, database_url, journal, f"g-{os.urandom(4).hex()}") as database:
        async with database.transaction() as transaction:
            await emit(transaction, *messages)

        wanted = {message.id for message in messages}
        await until(lambda: wanted <= set(journal.seen))

        assert len([seen for seen in journal.seen if seen in wanted]) == len(wanted)
        async with asyncio.timeout(10):
            while await outbox_size(database):  # noqa: ASYNC110  as above
                await asyncio.sleep(0.05)


async def test_poison_and_bad_headers_never_stop_the_topic(
    topics: KafkaServer, database_url: SecretStr
) -> None:
    journal = Journal()
    order_id, good = a_payment_confirmed().order_id, a_payment_confirmed()
    key = str(order_id).encode()
    async with running(topics, database_url, journal, f"g-{os.urandom(4).hex()}") as database:
        async with producing(topics) as producer:
            for body, headers in (
                (b"\xff\x00 no json", [("traceparent", b"\xff\xfe")]),
                (None, []),
                (b"{} nor this", [("nul", b"a\0b"), ("nul\0name", b"x")]),
                (good.model_dump_json().encode(), [("odd", None)]),
            ):
                await producer.send_and_wait(
                    Topic.PAYMENT_CONFIRMED, body, key=key, headers=headers
                )

        await until(lambda: good.id in journal.seen)

        assert journal.flagged.count(order_id) == 3
        async with database.transaction() as transaction:
            rows = (
                await transaction.execute(sa.select(dead_letters).where(dead_letters.c.key == key))
            ).all()
        assert {row.body for row in rows} == {b"\xff\x00 no json", None, b"{} nor this"}
        assert all(row.given_up_at for row in rows)


async def test_transient_failure_is_redelivered_and_counted_once(
    topics: KafkaServer, database_url: SecretStr
) -> None:
    journal, message = Journal(), a_payment_confirmed()
    failures = iter([ConnectionError("postgres is away"), ConnectionError("still away")])

    def fail(candidate: Message) -> Exception | None:
        return next(failures, None) if candidate.id == message.id else None

    journal.fail_on = fail
    async with (
        running(topics, database_url, journal, f"g-{os.urandom(4).hex()}"),
        producing(topics) as producer,
    ):
        body = message.model_dump_json().encode()
        await producer.send_and_wait(Topic.PAYMENT_CONFIRMED, body, key=message.key.encode())

        await until(lambda: message.id in journal.seen)
        await asyncio.sleep(0.5)

    assert journal.seen.count(message.id) == 1
    assert next(failures, None) is None


async def test_message_of_another_kind_is_a_dead_letter(
    topics: KafkaServer, database_url: SecretStr
) -> None:
    journal, stranger = Journal(), a_payment_updated()
    assert isinstance(stranger, PaymentUpdated)
    async with (
        running(topics, database_url, journal, f"g-{os.urandom(4).hex()}"),
        producing(topics) as producer,
    ):
        body = stranger.model_dump_json().encode()
        await producer.send_and_wait(Topic.PAYMENT_CONFIRMED, body, key=stranger.key.encode())

        await until(lambda: stranger.order_id in journal.flagged)


@pytest.mark.kafka
async def test_missing_topic_is_named_until_it_is_there(
    own_kafka: Broker, database_url: SecretStr
) -> None:
    await asyncio.to_thread(own_kafka.start)
    broker = KafkaServer(own_kafka.bootstrap_servers, own_kafka.kind, own_kafka.version)
    journal, message = Journal(), a_payment_confirmed()
    service = journal_service(broker, Database.connect(database_url), database_url, journal, "g")
    runtime = Runtime(service)

    with captured_log("journal") as log:
        async with runtime.running():
            await runtime.check_topics()  # nothing is known yet
            await until(lambda: "kafka.topics_missing" in log.getvalue())
            with pytest.raises(TopicsMissing) as refused:
                await runtime.check_topics()
            await asyncio.to_thread(broker.create_topics, [Topic.PAYMENT_CONFIRMED])
            async with service.database.transaction() as transaction:
                await emit(transaction, message)
            await until(lambda: message.id in journal.seen)
            await runtime.check_topics()

    await service.database.dispose()
    assert "payment.confirmed" in str(refused.value)
    assert "KAFKA_BOOTSTRAP_SERVERS" in str(refused.value)
    assert "bitloot create-topics" in str(refused.value)
    assert log.getvalue().count("kafka.topics_missing") == 1
