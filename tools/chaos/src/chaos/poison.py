"""Messages that nobody can read, sent to every topic between good ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer
from contracts import Topic

from chaos.faults import Fault
from chaos.world import World

_HEADERS: Final = [("traceparent", b"\0not one\xff"), ("\0", b"a\0b")]
_KEY: Final = b"00000000-0000-7000-8000-00000000dead"
POISON: Final[dict[str, tuple[bytes | None, bytes | None]]] = {
    "garbage": (_KEY, b"\xff\x00\xfenothing to read"),
    "empty": (_KEY, b""),
    "null": (_KEY, None),
    "no key": (None, b"{}"),
    "unknown version": (_KEY, b'{"version": 999, "id": "01980000-0000-7000-8000-000000000001"}'),
    "wrong types": (_KEY, b'{"id": 5, "order_id": [], "state": "no such state"}'),
    "unknown NUL": (_KEY, b'{"no such \\u0000 field": "\\u0000"}'),
    "deep": (_KEY, b"[" * 2_000 + b"]" * 2_000),
    "large": (_KEY, b'{"x": "' + b"y" * 900_000 + b'"}'),
}


def poisoned() -> Fault:
    """Every kind of poison in every topic, once."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        producer = AIOKafkaProducer(
            bootstrap_servers=world.stack["KAFKA_BOOTSTRAP_SERVERS"], max_request_size=2**20
        )
        await producer.start()
        try:
            for topic in Topic:
                for key, body in POISON.values():
                    await producer.send_and_wait(topic.value, body, key=key, headers=_HEADERS)
            yield
        finally:
            await producer.stop()

    return during
