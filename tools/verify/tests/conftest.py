"""Five migrated databases that hold one healthy order of each source."""

from collections.abc import AsyncIterator, Callable

import pytest
from bitloot_verify.sources import Sources
from bitloot_verify.testing import SERVICES, HealthyShop
from pydantic import SecretStr
from servicekit.testing import migrated


@pytest.fixture(scope="session")
def templates(new_database: Callable[..., str]) -> dict[str, str]:
    return {service: migrated(service.replace("-", "_"), new_database()) for service in SERVICES}


@pytest.fixture
async def shop(
    new_database: Callable[..., str], templates: dict[str, str]
) -> AsyncIterator[HealthyShop]:
    urls = {name: SecretStr(new_database(template=url)) for name, url in templates.items()}
    async with Sources.connect(urls) as sources:
        yield await HealthyShop.open(sources)
