"""The gateway's stand-in as a process of its own, on a free port."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from payments.testing import IPN_SECRET

SIMULATOR = [sys.executable, "-m", "nowpayments_simulator", "--port", "0"]
OPTIONS = {
    "NOWPAYMENTS_SIMULATOR_API_KEY": "test-api-key",
    "NOWPAYMENTS_SIMULATOR_IPN_SECRET": IPN_SECRET,
    "NOWPAYMENTS_SIMULATOR_EMAIL": "shop@bitloot.test",
    "NOWPAYMENTS_SIMULATOR_PASSWORD": "test-password",
    "NOWPAYMENTS_SIMULATOR_STEP_DELAY_MS": "20",
    "NOWPAYMENTS_SIMULATOR_IPN_RETRY_DELAY_MS": "100",
}


@pytest.fixture
def simulator_url() -> Iterator[str]:
    with subprocess.Popen(  # noqa: S603  our own command
        SIMULATOR, stdout=subprocess.PIPE, text=True, env=os.environ | OPTIONS
    ) as process:
        assert process.stdout
        yield process.stdout.readline().split(": ", 1)[1].strip().removesuffix("/v1")
        process.terminate()


@pytest.fixture
async def simulator(simulator_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Its control side."""
    async with httpx.AsyncClient(base_url=simulator_url, trust_env=False) as client:
        yield client
