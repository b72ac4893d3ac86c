"""What the stack itself asks of a broker: whether it answers, and its topics.

aiokafka, from synchronous code: every call has an event loop of its own in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiokafka import AIOKafkaClient
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from contracts.topics import MAX_MESSAGE_BYTES, PARTITIONS, RETENTION_MS

from stack.errors import StackError
from stack.ports import LOOPBACK

_TOPIC_SETTINGS: Mapping[str, str] = {
    "retention.ms": str(RETENTION_MS),
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
}
_TIMEOUT_MS = 10_000
_PROBE_TIMEOUT_S = 3.0

T = TypeVar("T")


def broker_answers(bootstrap_servers: str) -> bool:
    """Whether the broker answers its API: accepts a connection and names itself."""
    try:
        return _in_own_loop(lambda: _probe(bootstrap_servers))
    except (KafkaError, OSError, TimeoutError):
        return False


def create_topics(
    bootstrap_servers: str, names: Iterable[str], partitions: int = PARTITIONS
) -> None:
    """Create the topics that do not exist yet: 7 days, messages up to 1 MiB (design.md section 2).

    Raises:
        StackError: the broker refuses one.
    """
    wanted = [NewTopic(name, partitions, 1, topic_configs=dict(_TOPIC_SETTINGS)) for name in names]
    _in_own_loop(lambda: _create(bootstrap_servers, wanted))


def touch_topics(bootstrap_servers: str, names: Iterable[str]) -> None:
    """Ask for the topics, upon which librdkafka's broker creates them; it has no CreateTopics."""
    wanted = list(names)
    _in_own_loop(lambda: _touch(bootstrap_servers, wanted))


def _in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


async def _probe(bootstrap_servers: str) -> bool:
    return await asyncio.wait_for(_names_a_broker(bootstrap_servers), _PROBE_TIMEOUT_S)


async def _names_a_broker(bootstrap_servers: str) -> bool:
    host, _, port = bootstrap_servers.rpartition(":")
    # A plain connection first: aiokafka logs a warning for each refused one.
    _, writer = await asyncio.open_connection(host or LOOPBACK, int(port))
    writer.close()
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()
    try:
        return bool(client.cluster.brokers())
    finally:
        await client.close()


async def _create(bootstrap_servers: str, topics: list[NewTopic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=_TIMEOUT_MS)
    await admin.start()
    try:
        answer = await admin.create_topics(topics, timeout_ms=_TIMEOUT_MS)
    finally:
        await admin.close()
    for name, code, *words in answer.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise StackError(f"Kafka refuses topic {name}: {words or for_code(code).__name__}")


async def _touch(bootstrap_servers: str, names: list[str]) -> None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()
    try:
        for name in names:
            await client.add_topic(name)
    finally:
        await client.close()
