"""One suite for the port KeyStore, run on the fake and on every S3 server of this machine."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from delivery.adapters.r2_key_store import R2KeyStore
from delivery.errors import KeyStoreConflict, KeyStoreMisconfigured, KeyStoreUnavailable
from delivery.ports import KeyStore
from delivery.testing import InMemoryKeyStore
from foundation.clock import new_id
from pydantic import SecretStr
from stack.contract_fixtures import REAL, REAL_PARAM, WatchS3
from stack.endpoints import ObjectStore
from stack.server_fixtures import S3_SERVERS

BODY = b"\x00ciphertext\xff"


def checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def key_store(server: ObjectStore, **changes: Any) -> R2KeyStore:
    options: dict[str, Any] = {
        "endpoint_url": server.endpoint_url,
        "bucket": server.bucket,
        "access_key_id": server.access_key_id,
        "secret_access_key": SecretStr(server.secret_access_key),
        "region": server.region,
    }
    return R2KeyStore(**(options | changes))


SERVERS = [
    *(pytest.param(name, marks=pytest.mark.integration) for name in S3_SERVERS),
    REAL_PARAM,
]


def find_server(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == REAL:
        found: ObjectStore = request.getfixturevalue("real_r2")
        return found
    started: ObjectStore = request.getfixturevalue("start_s3")(request.param)
    return started


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> ObjectStore:
    """Every S3 server of this machine in turn, and in a contract check R2 itself."""
    return find_server(request)


@pytest.fixture(params=["memory", *SERVERS])
def server_or_memory(request: pytest.FixtureRequest) -> ObjectStore | None:
    return None if request.param == "memory" else find_server(request)


@pytest.fixture
async def real_store(server: ObjectStore, watch_s3: WatchS3) -> AsyncIterator[R2KeyStore]:
    async with key_store(server) as real:
        watch_s3(real._client)
        yield real


@pytest.fixture
async def store(server_or_memory: ObjectStore | None, watch_s3: WatchS3) -> AsyncIterator[KeyStore]:
    if server_or_memory is None:
        yield InMemoryKeyStore()
        return
    async with key_store(server_or_memory) as real:
        watch_s3(real._client)
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
        with pytest.raises(KeyStoreUnavailable):
            await nowhere.check()


async def test_of_many_that_write_one_name_one_wins(store: KeyStore) -> None:
    name = f"deliveries/{new_id()}"
    bodies = [bytes([number]) for number in range(8)]

    ended = await asyncio.gather(
        *(store.put(name, body, checksum(body)) for body in bodies), return_exceptions=True
    )

    [winner] = [body for body, end in zip(bodies, ended, strict=True) if end is None]
    assert await store.get(name) == winner
    assert all(isinstance(end, KeyStoreConflict) for end in ended if end is not None)


async def test_bytes_of_any_value_and_a_megabyte_are_kept(store: KeyStore) -> None:
    name, body = f"deliveries/{new_id()}", bytes(range(256)) * 4096

    await store.put(name, body, checksum(body))

    assert await store.get(name) == body


async def test_put_sends_nothing_that_r2_refuses(real_store: R2KeyStore) -> None:
    sent: list[dict[str, Any]] = []
    real_store._client.meta.events.register(
        "before-send.s3.PutObject",
        lambda request, **_: sent.append({k.lower(): v for k, v in request.headers.items()}),
    )

    await real_store.put(f"deliveries/{new_id()}", BODY, checksum(BODY))

    [headers] = sent
    refused = {"x-amz-acl", "x-amz-server-side-encryption", "x-amz-trailer", "x-amz-tagging"}
    assert refused.isdisjoint(headers)
    assert not any(name.startswith("x-amz-checksum-") for name in headers)
    assert "aws-chunked" not in str(headers.get("content-encoding"))
    assert headers["if-none-match"] == b"*"


async def test_server_says_what_is_there_and_what_is_not(real_store: R2KeyStore) -> None:
    client, bucket, name = real_store._client, real_store._bucket, f"deliveries/{new_id()}"

    with pytest.raises(ClientError) as absent:
        await client.head_object(Bucket=bucket, Key=name)
    await real_store.put(name, BODY, checksum(BODY))
    present = await client.head_object(Bucket=bucket, Key=name)

    assert absent.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert present["ContentLength"] == len(BODY)


async def test_second_conditional_write_is_answered_412(real_store: R2KeyStore) -> None:
    client, bucket, name = real_store._client, real_store._bucket, f"deliveries/{new_id()}"
    await client.put_object(Bucket=bucket, Key=name, Body=BODY, IfNoneMatch="*")

    with pytest.raises(ClientError) as refused:
        await client.put_object(Bucket=bucket, Key=name, Body=BODY, IfNoneMatch="*")

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


async def test_store_that_can_be_used_passes_its_check(store: KeyStore) -> None:
    await store.check()


async def test_missing_bucket_is_unavailable_and_fails_the_check(server: ObjectStore) -> None:
    async with key_store(server, bucket="no-such-bucket") as store:
        with pytest.raises(KeyStoreMisconfigured, match="S3_BUCKET"):
            await store.check()
        with pytest.raises(KeyStoreUnavailable, match="NoSuchBucket"):
            await store.put("a", BODY, checksum(BODY))


# The embedded stack's own server checks no signature.
STRICT_SERVERS = [pytest.param("versitygw", marks=pytest.mark.integration), REAL_PARAM]


@pytest.mark.parametrize("server", STRICT_SERVERS, indirect=True)
@pytest.mark.parametrize("wrong", [{"access_key_id": "0" * 32}, {"secret_access_key": "0" * 64}])
async def test_wrong_credentials_are_refused(server: ObjectStore, wrong: dict[str, str]) -> None:
    changes = {name: SecretStr(v) if "secret" in name else v for name, v in wrong.items()}

    async with key_store(server, **changes) as store:
        with pytest.raises(KeyStoreMisconfigured, match="S3_SECRET_ACCESS_KEY"):
            await store.check()
        with pytest.raises(KeyStoreUnavailable):
            await store.put(f"deliveries/{new_id()}", BODY, checksum(BODY))
        with pytest.raises(KeyStoreUnavailable):
            await store.get(f"deliveries/{new_id()}")


async def test_server_with_an_unknown_certificate_gets_nothing(
    start_s3: Callable[[str], ObjectStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_s3("versitygw-tls")
    monkeypatch.delenv("AWS_CA_BUNDLE")

    async with key_store(server) as store:
        with pytest.raises(KeyStoreUnavailable):
            await store.put(f"deliveries/{new_id()}", BODY, checksum(BODY))
