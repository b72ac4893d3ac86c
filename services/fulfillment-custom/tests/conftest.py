"""Own stock on a database of its own for each test."""

from collections.abc import AsyncIterator, Callable

import pytest
from foundation.testing import FixedClock
from fulfillment_custom.bootstrap import build_service
from fulfillment_custom.settings import CustomSettings
from fulfillment_custom.testing import SIGNER, some_settings
from servicekit.testing import ServiceHarness, migrated
from webkit.testing import admin_token


@pytest.fixture(scope="session")
def template(new_database: Callable[..., str]) -> str:
    return migrated("fulfillment_custom", new_database())


@pytest.fixture
def settings(new_database: Callable[..., str], template: str) -> CustomSettings:
    return some_settings(new_database(template=template))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def stock(settings: CustomSettings, clock: FixedClock) -> AsyncIterator[ServiceHarness]:
    service = build_service(settings, clock, SIGNER.static_jwks())
    async with ServiceHarness.start(service) as harness:
        yield harness


@pytest.fixture
def admin(clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
