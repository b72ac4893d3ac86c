from collections.abc import AsyncIterator

import httpx
import pytest
from kinguin_simulator.testing import open_simulator


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_simulator() as client:
        yield client
