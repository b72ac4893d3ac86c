"""Payments on a database of its own for each test, with a gateway in memory."""

from collections.abc import AsyncIterator, Callable

import pytest
from payments.bootstrap import build_service
from payments.settings import PaymentsSettings
from payments.testing import SIGNER, FakeGateway, some_settings
from servicekit.testing import FixedClock, ServiceHarness, admin_token, migrated


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
def admin(clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
