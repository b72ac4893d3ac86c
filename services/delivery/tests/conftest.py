"""Delivery on a database of its own for each test, with R2 and mail in memory."""

from collections.abc import AsyncIterator, Callable

import pytest
from delivery.bootstrap import Outside, build_service
from delivery.settings import DeliverySettings
from delivery.testing import SIGNER, InMemoryKeyStore, RecordingSender, some_settings
from foundation.testing import FixedClock
from servicekit.testing import ServiceHarness, migrated
from webkit.testing import admin_token


@pytest.fixture(scope="session")
def template(new_database: Callable[..., str]) -> str:
    return migrated("delivery", new_database())


@pytest.fixture
def settings(new_database: Callable[..., str], template: str) -> DeliverySettings:
    return some_settings(new_database(template=template))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store() -> InMemoryKeyStore:
    return InMemoryKeyStore()


@pytest.fixture
def sender() -> RecordingSender:
    return RecordingSender()


@pytest.fixture
async def delivery(
    settings: DeliverySettings, clock: FixedClock, store: InMemoryKeyStore, sender: RecordingSender
) -> AsyncIterator[ServiceHarness]:
    service = build_service(settings, clock, Outside(store, sender), SIGNER.static_jwks())
    async with ServiceHarness.start(service) as harness:
        yield harness


@pytest.fixture
def admin(clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
