"""Fulfillment-kinguin on a database of its own for each test."""

from collections.abc import AsyncIterator, Callable

import pytest
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import SIGNER, FakeSupplier, some_settings
from servicekit.testing import FixedClock, ServiceHarness, admin_token, migrated


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
