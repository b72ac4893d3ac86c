"""Fulfillment-kinguin on a database of its own for each test."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO

import pytest
from foundation.testing import FixedClock, captured_log
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    API_KEY,
    SIGNER,
    WEBHOOK_SECRET,
    FakeSupplier,
    some_settings,
)
from servicekit.testing import ServiceHarness, migrated
from webkit.testing import admin_token


@pytest.fixture
def log_lines() -> Iterator[StringIO]:
    """Everything that is logged in this test, as in production."""
    with captured_log("fulfillment-kinguin") as lines:
        yield lines


@pytest.fixture(scope="session")
def template(new_database: Callable[..., str]) -> str:
    return migrated("fulfillment_kinguin", new_database())


@pytest.fixture
def settings(new_database: Callable[..., str], template: str) -> KinguinSettings:
    return some_settings(new_database(template=template))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def supplier() -> FakeSupplier:
    return FakeSupplier()


@pytest.fixture
async def kinguin(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> AsyncIterator[ServiceHarness]:
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as harness:
        yield harness


@pytest.fixture
def admin(clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}


@pytest.fixture
def simulator() -> Iterator[str]:
    """Kinguin's stand-in as a process of its own, on a free port, delivering at once."""
    command = [sys.executable, "-m", "kinguin_simulator", "--port", "0", "--delivery-delay-ms", "0"]
    command += ["--api-key", API_KEY, "--webhook-secret", WEBHOOK_SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.split()[-1].removesuffix("/esa/api")
        finally:
            process.terminate()
