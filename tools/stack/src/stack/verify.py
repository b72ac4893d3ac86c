"""The invariants of a running stack, judged with the simulators' ledgers."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from bitloot_verify.check import Report, check
from bitloot_verify.reading import SERVICES
from bitloot_verify.sources import Bucket, Simulators, Sources
from pydantic import SecretStr

from stack.whole_stack import RunningStack

_PAUSE_S: Final = 15.0
"""Longer than anything travels between services when all of them run."""


def verify(stack: RunningStack) -> Report:
    """Check everything that happened within a day."""
    return asyncio.run(_verify(stack))


def bucket_of(stack: RunningStack) -> Bucket:
    """Where its deliveries' objects are."""
    return Bucket(
        endpoint_url=stack["S3_ENDPOINT_URL"],
        name=stack["S3_BUCKET"],
        access_key_id=stack["S3_ACCESS_KEY_ID"],
        secret_access_key=SecretStr(stack["S3_SECRET_ACCESS_KEY"]),
    )


async def _verify(stack: RunningStack) -> Report:
    urls = {
        service: SecretStr(stack[f"{service.replace('-', '_').upper()}_DATABASE_URL"])
        for service in SERVICES
    }
    simulators = Simulators(stack["NOWPAYMENTS_SIMULATOR_URL"], stack["KINGUIN_SIMULATOR_URL"])
    since = datetime.now(UTC) - timedelta(days=1)
    async with Sources.connect(urls, bucket_of(stack), simulators) as sources:
        return await check(partial(sources.read, since), _PAUSE_S)
