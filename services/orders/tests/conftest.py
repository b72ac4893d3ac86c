"""One orders service on a database of its own for each test."""

from collections.abc import AsyncIterator, Callable

import pytest
from foundation.testing import FixedClock
from orders.bootstrap import build_service
from orders.settings import OrdersSettings
from orders.testing import some_settings
from servicekit.testing import ServiceHarness, migrated
from webkit.testing import admin_token
from webkit.tokens import TokenSigner


@pytest.fixture(scope="session")
def template(new_database: Callable[..., str]) -> str:
    return migrated("orders", new_database())


@pytest.fixture
def settings(new_database: Callable[..., str], template: str) -> OrdersSettings:
    return some_settings(new_database(template=template))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def orders(settings: OrdersSettings, clock: FixedClock) -> AsyncIterator[ServiceHarness]:
    async with ServiceHarness.start(build_service(settings, clock)) as harness:
        yield harness


@pytest.fixture
def admin(settings: OrdersSettings, clock: FixedClock) -> dict[str, str]:
    token = admin_token(TokenSigner(settings.token_signing_keys), now=clock.now())
    return {"Authorization": f"Bearer {token}"}
