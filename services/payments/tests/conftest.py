"""Payments on a database of its own for each test; the gateway in memory, or its stand-in."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from contracts import OrderPlaced
from foundation.testing import FixedClock
from payments.bootstrap import build_service
from payments.settings import PaymentsSettings
from payments.testing import IPN_SECRET, SIGNER, FakeGateway, an_order, some_settings
from servicekit.testing import ServiceHarness, migrated
from webkit.testing import admin_token

SIMULATOR = [sys.executable, "-m", "nowpayments_simulator", "--port", "0"]
OPTIONS = {
    "NOWPAYMENTS_SIMULATOR_API_KEY": "test-api-key",
    "NOWPAYMENTS_SIMULATOR_IPN_SECRET": IPN_SECRET,
    "NOWPAYMENTS_SIMULATOR_EMAIL": "shop@bitloot.test",
    "NOWPAYMENTS_SIMULATOR_PASSWORD": "test-password",
    "NOWPAYMENTS_SIMULATOR_STEP_DELAY_MS": "20",
    "NOWPAYMENTS_SIMULATOR_IPN_RETRY_DELAY_MS": "100",
}


@pytest.fixture(scope="session")
def template(new_database: Callable[..., str]) -> str:
    return migrated("payments", new_database())


@pytest.fixture
def settings(new_database: Callable[..., str], template: str) -> PaymentsSettings:
    return some_settings(new_database(template=template))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def payments(
    settings: PaymentsSettings, clock: FixedClock, gateway: FakeGateway
) -> AsyncIterator[ServiceHarness]:
    service = build_service(settings, clock, gateway, SIGNER.static_jwks())
    async with ServiceHarness.start(service) as harness:
        yield harness


@pytest.fixture
async def order(payments: ServiceHarness) -> OrderPlaced:
    """An order whose invoice is ready."""
    message = an_order()
    await payments.deliver(message)
    await payments.run_jobs()
    return message


@pytest.fixture
def admin(clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}


@pytest.fixture
def simulator_url() -> Iterator[str]:
    with subprocess.Popen(
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
