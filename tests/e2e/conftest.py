import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from bitloot_verify.check import Report, check
from bitloot_verify.reading import SERVICES
from bitloot_verify.sources import Bucket, Simulators, Sources
from pydantic import SecretStr
from stack.shared_parts import SharedParts
from stack.whole_stack import RunningStack, whole_stack

_PAUSE_S = 15.0
"""Longer than anything travels between services when all of them run."""


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, shared_parts: SharedParts) -> Iterator[RunningStack]:
    """The whole stack, once a run: `stack["ORDERS_URL"]`, `stack.mailbox`, `stack.kill("orders")`.

    After the last test every invariant must hold for all that the tests did. Its folder with
    all logs is kept when a test failed.
    """
    folder = Path(tempfile.mkdtemp(prefix="bitloot-e2e-"))
    with whole_stack(folder) as running:
        shared_parts.remember("kafka of the stack", asdict(running.kafka))
        yield running
        report = asyncio.run(_verify(running))
        assert report.violations == 0, {n: found for n, found in report.findings.items() if found}
        assert report.orders_read > 0
    if request.session.testsfailed:
        request.config.get_terminal_writer().line(f"\nthe stack's folder is kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


async def _verify(stack: RunningStack) -> Report:
    urls = {
        service: SecretStr(stack[f"{service.replace('-', '_').upper()}_DATABASE_URL"])
        for service in SERVICES
    }
    bucket = Bucket(
        endpoint_url=stack["S3_ENDPOINT_URL"],
        name=stack["S3_BUCKET"],
        access_key_id=stack["S3_ACCESS_KEY_ID"],
        secret_access_key=SecretStr(stack["S3_SECRET_ACCESS_KEY"]),
    )
    simulators = Simulators(stack["NOWPAYMENTS_SIMULATOR_URL"], stack["KINGUIN_SIMULATOR_URL"])
    since = datetime.now(UTC) - timedelta(days=1)
    async with Sources.connect(urls, bucket, simulators) as sources:
        return await check(partial(sources.read, since), _PAUSE_S)
