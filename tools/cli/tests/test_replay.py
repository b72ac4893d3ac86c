"""A stopped group is set back to a moment on real Kafka; a running one is left alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from bitloot_cli.main import app
from contracts.topics import Topic
from stack.endpoints import KafkaServer
from typer.testing import CliRunner, Result

pytestmark = [pytest.mark.integration, pytest.mark.kafka]

TOPIC = Topic.ROLLOUT_CHANGED.value


@pytest.fixture
def kafka_with_topics(kafka: KafkaServer) -> KafkaServer:
    kafka.create_topics([TOPIC])
    return kafka


def run(
    kafka: KafkaServer, service: str, since: datetime, *arguments: str, topic: str = TOPIC
) -> Result:
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return CliRunner().invoke(
        app,
        ["replay", service, topic, "--since", moment, *arguments],
        env={"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers},
    )


async def send(kafka: KafkaServer, bodies: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for body in bodies:
            await producer.send_and_wait(TOPIC, body, key=b"rollout")


async def read(kafka: KafkaServer, group: str, number: int) -> list[bytes]:
    """The next messages of a group, committed as a service does."""
    async with AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        found = [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(number)]
        await consumer.commit()
    return [body or b"" for body in found]


def test_messages_since_a_moment_are_read_again(kafka_with_topics: KafkaServer) -> None:
    service = "orders-replayed"
    group = f"{service}.{TOPIC}"
    since = datetime.now(UTC) - timedelta(seconds=1)
    asyncio.run(send(kafka_with_topics, [b"one", b"two"]))
    before = asyncio.run(read_new(kafka_with_topics, group, [b"one", b"two"]))

    dry = run(kafka_with_topics, service, since, "--dry-run")
    answer = run(kafka_with_topics, service, since)

    assert before
    assert "would read 2 messages" in dry.stdout, dry.output
    assert "will read 2 messages" in answer.stdout, answer.output
    assert asyncio.run(read(kafka_with_topics, group, 2)) == [b"one", b"two"]


async def read_new(kafka: KafkaServer, group: str, wanted: list[bytes]) -> bool:
    """Read on until the wanted messages have come; other tests may have sent before."""
    seen: list[bytes] = []
    while seen[-len(wanted) :] != wanted:
        seen += await read(kafka, group, 1)
    return True


async def while_reading(kafka: KafkaServer, group: str, since: datetime) -> Result:
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=kafka.bootstrap_servers, group_id=group
    ) as consumer:
        await consumer.getmany(timeout_ms=3000)
        return await asyncio.to_thread(run, kafka, group.split(".", maxsplit=1)[0], since)


def test_a_service_that_still_reads_is_left_alone(kafka_with_topics: KafkaServer) -> None:
    answer = asyncio.run(
        while_reading(kafka_with_topics, f"orders-busy.{TOPIC}", datetime.now(UTC))
    )

    assert answer.exit_code == 1
    assert "stop all its replicas first" in answer.stderr


def test_an_unknown_topic_is_named(kafka_with_topics: KafkaServer) -> None:
    answer = CliRunner().invoke(
        app,
        ["replay", "orders", "orders.all", "--since", "2026-11-23"],
        env={"KAFKA_BOOTSTRAP_SERVERS": kafka_with_topics.bootstrap_servers},
    )

    assert answer.exit_code == 2
    assert "is no topic of this shop" in answer.stderr


async def test_a_service_that_never_read_the_topic_is_refused(
    kafka_with_topics: KafkaServer,
) -> None:
    topic = Topic.OFFER_UPDATED.value
    kafka_with_topics.create_topics([topic])
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka_with_topics.bootstrap_servers,
        group_id=f"orders-known.{topic}",
        enable_auto_commit=False,
    ) as consumer:
        await consumer.commit({TopicPartition(topic, 0): 0})

    answer = await asyncio.to_thread(
        run, kafka_with_topics, "order-known", datetime.now(UTC), topic=topic
    )

    assert answer.exit_code == 2
    assert "order-known has never read" in answer.stderr
    assert "orders-known" in answer.stderr.split("these have:")[1]
