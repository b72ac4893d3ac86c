"""One suite for the port KeyStore, run on the fake and on a real S3 server."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from delivery.adapters.r2_key_store import R2KeyStore
from delivery.errors import KeyStoreConflict, KeyStoreUnavailable
from delivery.ports import KeyStore
from delivery.testing import InMemoryKeyStore
from foundation.clock import new_id
from pydantic import SecretStr

BODY = b"\x00ciphertext\xff"


def checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@asynccontextmanager
async def real_store(request: pytest.FixtureRequest) -> AsyncIterator[R2KeyStore]:
    server: Any = request.getfixturevalue("s3")
    async with R2KeyStore(
        endpoint_url=server.endpoint_url,
        bucket=server.bucket,
        access_key_id=server.access_key_id,
        secret_access_key=SecretStr(server.secret_access_key),
        region=server.region,
    ) as store:
        yield store


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.integration)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[KeyStore]:
    if request.param == "memory":
        yield InMemoryKeyStore()
        return
    async with real_store(request) as real:
        yield real


async def test_object_is_read_as_it_was_written(store: KeyStore) -> None:
    name = f"deliveries/{new_id()}"

    await store.put(name, BODY, checksum(BODY))

    assert await store.get(name) == BODY


async def test_writing_the_same_again_is_success(store: KeyStore) -> None:
    name = f"deliveries/{new_id()}"

    for _ in range(2):
        await store.put(name, BODY, checksum(BODY))

    assert await store.get(name) == BODY


async def test_another_object_is_never_overwritten(store: KeyStore) -> None:
    name = f"deliveries/{new_id()}"
    await store.put(name, BODY, checksum(BODY))

    with pytest.raises(KeyStoreConflict):
        await store.put(name, b"other", checksum(b"other"))

    assert await store.get(name) == BODY


async def test_missing_object_is_unavailable(store: KeyStore) -> None:
    with pytest.raises(KeyStoreUnavailable):
        await store.get(f"deliveries/{new_id()}")


async def test_store_that_does_not_answer_is_unavailable() -> None:
    async with R2KeyStore(
        endpoint_url="http://127.0.0.1:9",
        bucket="keys",
        access_key_id="test",
        secret_access_key=SecretStr("test"),
        region="auto",
    ) as nowhere:
        with pytest.raises(KeyStoreUnavailable):
            await nowhere.put("a", BODY, checksum(BODY))


@pytest.mark.integration
async def test_put_sends_nothing_that_r2_refuses(request: pytest.FixtureRequest) -> None:
    sent: list[dict[str, str]] = []
    async with real_store(request) as store:
        store._client.meta.events.register(
            "before-send.s3.PutObject",
            lambda request, **_: sent.append({k.lower(): v for k, v in request.headers.items()}),
        )
        await store.put(f"deliveries/{new_id()}", BODY, checksum(BODY))

    [headers] = sent
    refused = {"x-amz-acl", "x-amz-server-side-encryption", "x-amz-trailer", "x-amz-tagging"}
    assert refused.isdisjoint(headers)
    assert not any(name.startswith("x-amz-checksum-") for name in headers)
    assert "aws-chunked" not in str(headers.get("content-encoding"))
