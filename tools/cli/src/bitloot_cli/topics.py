"""Kafka topics as the services need them: created where missing, otherwise left alone.

Brokers do not create topics by themselves here: a misspelled one must be an error.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from contracts.topics import MAX_MESSAGE_BYTES, PARTITIONS, RETENTION_MS
from foundation.settings import KafkaSettings
from servicekit.kafka_access import client_options

TOPIC_SETTINGS: Mapping[str, str] = {
    "retention.ms": str(RETENTION_MS),
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
}
_TIMEOUT_MS = 10_000


class TopicRefused(Exception):
    """The broker does not create a topic."""


@dataclass(frozen=True)
class TopicShape:
    """How new topics are laid out; replication beyond 1 needs as many brokers."""

    partitions: int = PARTITIONS
    replication: int = 1


def plain_kafka(bootstrap_servers: str) -> KafkaSettings:
    """Brokers that ask nobody who they are: a stack on this machine."""
    # Not by its constructor: that would read the caller's environment as well.
    return KafkaSettings.model_validate({"kafka_bootstrap_servers": bootstrap_servers})


async def ensure_topics(
    kafka: KafkaSettings, names: Iterable[str], shape: TopicShape | None = None
) -> list[str]:
    """Create the topics that do not exist yet; the names of those that were made.

    Raises:
        TopicRefused: the broker refuses one.
        aiokafka.errors.KafkaError: the broker cannot be asked.
        OSError: KAFKA_CA_FILE cannot be read.
    """
    layout = shape or TopicShape()
    wanted = [_topic(name, layout) for name in names]
    admin = AIOKafkaAdminClient(request_timeout_ms=_TIMEOUT_MS, **client_options(kafka))
    await admin.start()
    try:
        answer = await admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS)
    finally:
        await admin.close()
    return [name for name, code, *words in answer.topic_errors if _is_new(name, code, words)]


def _topic(name: str, shape: TopicShape) -> NewTopic:
    settings = dict(TOPIC_SETTINGS)
    return NewTopic(name, shape.partitions, shape.replication, topic_configs=settings)


def _is_new(name: str, code: int, words: list[object]) -> bool:
    if code not in {0, TopicAlreadyExistsError.errno}:
        reason = next((str(word) for word in words if word), for_code(code).__name__)
        raise TopicRefused(f"Kafka refuses topic {name}: {reason}")
    return code == 0
