"""Cloudflare R2 through aioboto3: written once, compared when it is there already.

Checksums only `when_required`, no ACL and no server-side encryption headers: R2 refuses
them (its S3 compatibility page). Retries are the job's, not botocore's.
"""

import hashlib
from contextlib import AsyncExitStack
from typing import Any, Final, Self

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from delivery.errors import KeyStoreConflict, KeyStoreMisconfigured, KeyStoreUnavailable

_CONFIG: Final = Config(
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    connect_timeout=3,
    read_timeout=15,
    retries={"total_max_attempts": 1, "mode": "standard"},
    max_pool_connections=32,
    s3={"addressing_style": "path"},
)
_EXISTS: Final = frozenset({"PreconditionFailed", "412"})
# Not AccessDenied: some servers answer so for a missing object when the keys may not list.
_REFUSED_KEYS: Final = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized", "XAdminUserNotFound"}
)
_PROBE: Final = "deliveries/is-anything-there"


class R2KeyStore:
    """A context manager that keeps one client open."""

    def __init__(
        self,
        *,
        endpoint_url: str,
        bucket: str,
        access_key_id: str,
        secret_access_key: SecretStr,
        region: str,
    ) -> None:
        self._bucket = bucket
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint_url,
            "aws_access_key_id": access_key_id,
            "aws_secret_access_key": secret_access_key.get_secret_value(),
            "region_name": region,
            "config": _CONFIG,
        }
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def __aenter__(self) -> Self:
        """Open the client; nothing is sent yet."""
        client = aioboto3.Session().client("s3", **self._options)
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close the client."""
        await self._stack.aclose()

    async def put(self, object_key: str, body: bytes, checksum: str) -> None:
        """Write once (`If-None-Match: *`); the same object there already is success.

        Raises:
            KeyStoreUnavailable: not now.
            KeyStoreConflict: something else lies there.
        """
        try:
            await self._client.put_object(
                Bucket=self._bucket,
                Key=object_key,
                Body=body,
                ContentType="application/octet-stream",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if _code(error) not in _EXISTS:
                raise KeyStoreUnavailable(_code(error)) from error
            await self._compare(object_key, checksum)
        except BotoCoreError as error:
            raise KeyStoreUnavailable(type(error).__name__) from error

    async def _compare(self, object_key: str, checksum: str) -> None:
        there = await self.get(object_key)
        if hashlib.sha256(there).hexdigest() != checksum:
            raise KeyStoreConflict(f"another object lies at {object_key}")

    async def check(self) -> None:
        """Read an object that does not exist: the answer tells what else is wrong.

        Raises:
            KeyStoreMisconfigured: there is no such bucket, or the access keys are refused.
            KeyStoreUnavailable: not now.
        """
        try:
            await self._client.get_object(Bucket=self._bucket, Key=_PROBE)
        except ClientError as error:
            _judge_probe(self._bucket, _code(error))
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise KeyStoreUnavailable(type(error).__name__) from error

    async def get(self, object_key: str) -> bytes:
        """Read the object.

        Raises:
            KeyStoreUnavailable: not now, or it is missing.
        """
        try:
            answer = await self._client.get_object(Bucket=self._bucket, Key=object_key)
            async with answer["Body"] as stream:
                body: bytes = await stream.read()
        except ClientError as error:
            raise KeyStoreUnavailable(_code(error)) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise KeyStoreUnavailable(type(error).__name__) from error
        return body


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _judge_probe(bucket: str, code: str) -> None:
    if code == "NoSuchBucket":
        raise KeyStoreMisconfigured(
            f"S3_ENDPOINT_URL has no bucket {bucket}: create it (`bitloot create-bucket` can), or "
            "correct S3_BUCKET"
        )
    if code in _REFUSED_KEYS:
        raise KeyStoreMisconfigured(
            f"S3_ENDPOINT_URL refuses the access keys ({code}): correct S3_ACCESS_KEY_ID and "
            "S3_SECRET_ACCESS_KEY"
        )
    if code != "NoSuchKey":
        raise KeyStoreUnavailable(code)
