"""`bitloot create-bucket`: the bucket that delivery keeps encrypted keys in.

Works from delivery's S3 settings. For development and for S3 servers without a console; a bucket
that exists is left as it is.
"""

import asyncio
from typing import Any

import aioboto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from foundation.settings import HttpUrlText, load_settings
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bitloot_cli.failure import fail

_THERE_ALREADY = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
CLIENT_CONFIG = Config(
    signature_version="s3v4",
    connect_timeout=5,
    read_timeout=15,
    s3={"addressing_style": "path"},
)


class BucketSettings(BaseSettings):
    """Delivery's S3 settings."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    s3_endpoint_url: HttpUrlText = Field(description="as delivery has it")
    s3_bucket: str = Field(description="the bucket to create")
    s3_access_key_id: str = Field(description="as delivery has it")
    s3_secret_access_key: SecretStr = Field(description="as delivery has it")
    s3_region: str = Field(default="auto", description="as delivery has it")


def create_bucket() -> None:
    """Create delivery's bucket if it is missing; needs delivery's S3 settings."""
    settings = load_settings(BucketSettings)
    try:
        is_new = asyncio.run(_create(settings))
    except (BotoCoreError, ClientError, OSError) as error:
        fail(f"bucket {settings.s3_bucket} at {settings.s3_endpoint_url}: {error}")
    typer.echo(f"bucket {settings.s3_bucket}: {'created' if is_new else 'there already'}")


async def _create(settings: BucketSettings) -> bool:
    options: dict[str, Any] = {
        "endpoint_url": settings.s3_endpoint_url,
        "aws_access_key_id": settings.s3_access_key_id,
        "aws_secret_access_key": settings.s3_secret_access_key.get_secret_value(),
        "region_name": settings.s3_region,
        "config": CLIENT_CONFIG,
    }
    async with aioboto3.Session().client("s3", **options) as s3:
        try:
            await s3.create_bucket(Bucket=settings.s3_bucket)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _THERE_ALREADY:
                raise
            return False
    return True
