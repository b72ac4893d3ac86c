"""Delivery's bucket: it is there, writes once, gives back what was written, and forgets it."""

import hashlib
import secrets
from typing import Any, Final

import aioboto3
from botocore.exceptions import BotoCoreError, ClientError
from delivery.adapters.r2_key_store import R2KeyStore
from delivery.errors import KeyStoreConflict, KeyStoreUnavailable
from delivery.settings import DeliverySettings

from bitloot_cli.create_bucket import CLIENT_CONFIG
from bitloot_cli.preflight.outcome import Outcome, failed, ok

_REMEDY: Final = "does the bucket exist, and may the token read and write objects in it?"


async def check_bucket(settings: DeliverySettings) -> list[Outcome]:
    """One line; the object that it needs is taken away again."""
    subject = f"delivery bucket {settings.s3_bucket}"
    probe = f"preflight/{secrets.token_hex(16)}"
    try:
        outcome = await _probe(subject, probe, settings)
    except KeyStoreUnavailable as error:
        return [failed(subject, error, _REMEDY)]
    try:
        await _remove(probe, settings)
    except (BotoCoreError, ClientError) as error:
        remedy = "let the token delete objects as well, and delete this one"
        return [outcome, failed(f"{subject} {probe}", f"cannot be deleted ({error})", remedy)]
    return [outcome]


async def _probe(subject: str, probe: str, settings: DeliverySettings) -> Outcome:
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    async with _store(settings) as store:
        await store.put(probe, first, hashlib.sha256(first).hexdigest())
        try:
            await store.put(probe, second, hashlib.sha256(second).hexdigest())
        except KeyStoreConflict:
            return ok(subject, "writes once and reads")
    remedy = "take a server that knows If-None-Match on PutObject, as R2 does"
    return failed(subject, "overwrites what is there: a conditional write does not work", remedy)


def _store(settings: DeliverySettings) -> R2KeyStore:
    return R2KeyStore(
        endpoint_url=settings.s3_endpoint_url,
        bucket=settings.s3_bucket,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        region=settings.s3_region,
    )


async def _remove(probe: str, settings: DeliverySettings) -> None:
    options: dict[str, Any] = {
        "endpoint_url": settings.s3_endpoint_url,
        "aws_access_key_id": settings.s3_access_key_id,
        "aws_secret_access_key": settings.s3_secret_access_key.get_secret_value(),
        "region_name": settings.s3_region,
        "config": CLIENT_CONFIG,
    }
    async with aioboto3.Session().client("s3", **options) as s3:
        await s3.delete_object(Bucket=settings.s3_bucket, Key=probe)
