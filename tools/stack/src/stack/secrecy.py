"""Search everything a stack keeps for plaintext keys, in every disguise they may wear.

Databases, Kafka topics, logs, mails and objects in S3 are read whole. The simulators'
own books are left out: they are the outside world.
"""

import asyncio
import base64
import io
import json
import urllib.parse
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import aioboto3
import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from contracts import Topic

from stack.plan import SERVICES_WITH_DATABASE
from stack.whole_stack import RunningStack

_READ_TIMEOUT_MS = 2_000
_GZIP = b"\x1f\x8b\x08"


@dataclass(frozen=True)
class Hoard:
    """Named heaps of bytes, where a key must not be."""

    heaps: dict[str, bytes] = field(default_factory=dict)

    def find(self, secrets: Iterable[str]) -> list[str]:
        """`place: disguise` of each secret that lies open; the secrets are not repeated."""
        heaps = {place: b"\n".join((heap, unpacked(heap))) for place, heap in self.heaps.items()}
        return [
            f"{place}: {disguise}"
            for secret in secrets
            for disguise, needle in disguises(secret)
            for place, heap in heaps.items()
            if needle in heap
        ]


def unpacked(heap: bytes) -> bytes:
    """Every gzip stream in a heap, read; one that only looks like it holds nothing."""
    found = []
    start = heap.find(_GZIP)
    while start >= 0:
        with suppress(zlib.error):
            found.append(zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(heap[start:]))
        start = heap.find(_GZIP, start + 1)
    return b"\n".join(found)


def disguises(secret: str) -> Iterator[tuple[str, bytes]]:
    """The forms a text takes on its way through encoders."""
    raw = secret.encode()
    yield "as it is", raw
    yield "lower case", secret.lower().encode()
    yield "upper case", secret.upper().encode()
    yield "without dashes", secret.replace("-", "").encode()
    yield "URL-encoded", urllib.parse.quote(secret, safe="").replace("-", "%2D").encode()
    yield "JSON", json.dumps(secret)[1:-1].encode()
    yield "hex", raw.hex().encode()
    yield "hex in capitals", raw.hex().upper().encode()
    yield "UTF-16", secret.encode("utf-16-le")
    yield "UTF-16, big end first", secret.encode("utf-16-be")
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for offset in range(3):
            encoded = encode(b"\0" * offset + raw)
            # What the neighbours' bits spoil is cut off at both ends.
            yield f"{name} at offset {offset}", encoded[(offset * 8 + 5) // 6 :].rstrip(b"=")[:-2]


async def collect(stack: RunningStack) -> Hoard:
    """Read everything the stack keeps."""
    hoard = Hoard()
    for service in SERVICES_WITH_DATABASE:
        url = stack[f"{service.replace('-', '_').upper()}_DATABASE_URL"]
        async for table, rows in _tables(url):
            hoard.heaps[f"database {service}, table {table}"] = rows
    async for topic, records in _topics(stack["KAFKA_BOOTSTRAP_SERVERS"]):
        hoard.heaps[f"topic {topic}"] = records
    async for name, body in _objects(stack):
        hoard.heaps[f"object {name}"] = name.encode() + body
    for mail in await asyncio.to_thread(stack.mailbox.mails):
        parts = (mail.source, mail.text.encode(), mail.html.encode())
        hoard.heaps[f"mail {mail.message_id}"] = b"\n".join(parts)
    for log in sorted(stack.log("orders").parent.glob("*.log")):
        hoard.heaps[f"log {log.name}"] = log.read_bytes()
    return hoard


async def _tables(url: str) -> AsyncIterator[tuple[str, bytes]]:
    connection = await asyncpg.connect(url)
    try:
        for record in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ):
            rows = io.BytesIO()
            await connection.copy_from_table(record["tablename"], output=rows, format="text")
            yield record["tablename"], rows.getvalue()
    finally:
        await connection.close()


async def _topics(bootstrap_servers: str) -> AsyncIterator[tuple[str, bytes]]:
    consumer = AIOKafkaConsumer(
        *(topic.value for topic in Topic),
        bootstrap_servers=bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    heaps: dict[str, list[bytes]] = {}
    try:
        while batch := await consumer.getmany(timeout_ms=_READ_TIMEOUT_MS):
            for partition, records in batch.items():
                heaps.setdefault(partition.topic, []).extend(_bytes_of(r) for r in records)
    finally:
        await consumer.stop()
    for topic, parts in heaps.items():
        yield topic, b"\n".join(parts)


def _bytes_of(record: ConsumerRecord) -> bytes:
    headers = [name.encode() + (value or b"") for name, value in record.headers]
    return b"\n".join((record.key or b"", record.value or b"", *headers))


async def _objects(stack: RunningStack) -> AsyncIterator[tuple[str, bytes]]:
    client = aioboto3.Session().client(
        "s3",
        endpoint_url=stack["S3_ENDPOINT_URL"],
        aws_access_key_id=stack["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=stack["S3_SECRET_ACCESS_KEY"],
        region_name="auto",
    )
    async with client as s3:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack["S3_BUCKET"])
        async for page in pages:
            for entry in page.get("Contents", ()):
                answer = await s3.get_object(Bucket=stack["S3_BUCKET"], Key=entry["Key"])
                async with answer["Body"] as body:
                    about = json.dumps(answer["Metadata"]).encode()
                    yield entry["Key"], about + await body.read()
