"""What the stack itself asks of a broker: whether it answers, and its topics.

aiokafka, from synchronous code: every call has an event loop of its own in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError
from bitloot_cli.topics import TopicRefused, TopicShape, ensure_topics, plain_kafka
from contracts.topics import PARTITIONS

from stack.errors import StackError
from stack.ports import LOOPBACK

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
    shape = TopicShape(partitions)
    try:
        _in_own_loop(lambda: ensure_topics(plain_kafka(bootstrap_servers), names, shape))
    except TopicRefused as error:
        raise StackError(str(error)) from error


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


async def _touch(bootstrap_servers: str, names: list[str]) -> None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()
    try:
        for name in names:
            await client.add_topic(name)
    finally:
        await client.close()
