"""Kafka with the right policies, in one place.

At least once: offsets are committed after the handler, never when it failed; a group
starts at the earliest message; the producer waits for all replicas and is idempotent.
Bytes are read by us, so that a bad record never blocks a batch.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aiokafka import ConsumerRecord
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from foundation.refusals import Refusal
from foundation.settings import KafkaSettings

from servicekit.consumer import BatchConsumer
from servicekit.dead_letters import Record, header_text, storable
from servicekit.kafka_access import client_options, security
from servicekit.outbox import Sender

MAX_BATCH: Final = 500
_GRACE_S: Final = 10.0
_METADATA_AGE_MS: Final = 30_000  # within it a topic that was made anew is read again
_SESSION_TIMEOUT_MS: Final = 15_000  # a busy event loop must not drop out; a killed one is missed
_HEARTBEAT_MS: Final = 500  # how soon a member hears that another one joins: topics join one by one


class TopicsMissing(Refusal):
    """Kafka answers, but has not what this service reads."""

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(
            f"Kafka at KAFKA_BOOTSTRAP_SERVERS lacks {', '.join(topics)}, or our user may not read "
            "there: run `bitloot create-topics`, or grant it"
        )


def build_broker(settings: KafkaSettings, client_id: str) -> KafkaBroker:
    """A broker that has not been started; opens no connection.

    Raises:
        OSError: KAFKA_CA_FILE cannot be read or holds no certificate.
    """
    return KafkaBroker(
        settings.kafka_bootstrap_servers.split(","),
        security=security(settings),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        graceful_timeout=_GRACE_S,
        allow_auto_create_topics=False,
        metadata_max_age_ms=_METADATA_AGE_MS,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
    )


def subscribe(broker: KafkaBroker, consumer: BatchConsumer[Any]) -> None:
    """Read a topic in batches; the one place where a subscriber is made.

    Each topic has a group of its own: members of one group that read different topics
    would stop each other at every join.
    """
    topic = consumer.consumer.message.topic.value

    @broker.subscriber(
        topic,
        group_id=f"{consumer.consumer.group}.{topic}",
        auto_offset_reset="earliest",
        batch=True,
        max_records=MAX_BATCH,
        batch_timeout_ms=200,
        session_timeout_ms=_SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=_HEARTBEAT_MS,
        parser=_without_headers,
        decoder=_as_records,
    )
    async def consume(records: Any) -> None:
        await consumer(records)


async def _without_headers(records: Sequence[ConsumerRecord], parse: Any) -> Any:
    # FastStream decodes headers itself and loses the whole batch on one that is not UTF-8.
    message = await parse(tuple(replace(record, headers=()) for record in records))
    message.raw_message = tuple(records)
    return message


async def _as_records(message: Any) -> list[Record]:
    return [_record(record) for record in message.raw_message]


def _record(record: ConsumerRecord) -> Record:
    headers = {storable(key): header_text(value) for key, value in record.headers}
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        headers,
        record.timestamp / 1000,
    )


async def answers(settings: KafkaSettings) -> bool:
    """Whether a broker can be reached, and lets us in, at this moment."""
    client = AIOKafkaClient(**client_options(settings))
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True


async def missing_topics(settings: KafkaSettings, names: Collection[str]) -> list[str]:
    """Those of the topics that are not there, or that our user may not see.

    Raises:
        KafkaError, OSError: the broker does not answer.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    return sorted(set(names) - cluster.topics())


def sender(broker: KafkaBroker) -> Sender:
    """The relay's way out: sends bytes, and returns the acknowledgement to wait for."""

    async def send(
        body: bytes, *, topic: str, key: bytes, headers: Mapping[str, str]
    ) -> asyncio.Future[Any]:
        return await broker.publish(body, topic, key=key, headers=dict(headers), no_confirm=True)

    return send
