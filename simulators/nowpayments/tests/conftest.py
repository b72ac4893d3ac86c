from collections.abc import AsyncIterator

import httpx
import pytest
from nowpayments_simulator.testing import Shop, open_shop, open_simulator


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_simulator() as client:
        yield client


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop
