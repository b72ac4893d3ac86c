"""Helpers for tests: the simulator in process, and orders placed with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from kinguin_simulator.app import create_app
from kinguin_simulator.catalogue import offer_id, product_id
from kinguin_simulator.options import Options

API_KEY = "test-api-key"
WEBHOOK_SECRET = "test-webhook-secret"
ESA = "/esa/api"


@asynccontextmanager
async def open_simulator(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh simulator that delivers at once; it sends the right API key."""
    fast: dict[str, Any] = {"delivery_delay_ms": 0}
    options = Options(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, **(fast | settings))
    app = create_app(options)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://simulator",
            headers={"x-api-key": API_KEY},
        ) as client,
    ):
        yield client


async def set_faults(client: httpx.AsyncClient, **faults: object) -> dict[str, Any]:
    """Replace the faults; what is in force now."""
    response = await client.put("/_simulator/faults", json=faults)
    response.raise_for_status()
    in_force: dict[str, Any] = response.json()
    return in_force


async def place(
    client: httpx.AsyncClient,
    product: int = 1,
    quantity: int = 1,
    price: float = 50.0,
    external_id: str | None = None,
    **item: Any,
) -> httpx.Response:
    """POST /v2/order for one product by its number."""
    position = {"productId": product_id(product), "qty": quantity, "price": price} | item
    body = {"products": [position]} | ({"orderExternalId": external_id} if external_id else {})
    return await client.post(f"{ESA}/v2/order", json=body)


async def place_simple(
    client: httpx.AsyncClient, product: int = 1, **fields: Any
) -> httpx.Response:
    """POST /v1/orders of the sales-manager form."""
    body = {"offerId": offer_id(product), "quantity": 1, "autoDeliver": True} | fields
    return await client.post("/v1/orders", json=body)


async def placed_id(client: httpx.AsyncClient, **order: Any) -> str:
    """Place an order; its id."""
    response = await place(client, **order)
    response.raise_for_status()
    return str(response.json()["orderId"])


async def keys_of(client: httpx.AsyncClient, order_id: str, **paging: int) -> list[dict[str, Any]]:
    """GET keys."""
    response = await client.get(f"{ESA}/v2/order/{order_id}/keys", params=paging)
    response.raise_for_status()
    keys: list[dict[str, Any]] = response.json()
    return keys


async def ledger_rows(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every order of the ledger."""
    rows: list[dict[str, Any]] = (await client.get("/_simulator/ledger")).json()["orders"]
    return rows


async def until_status(client: httpx.AsyncClient, status: str) -> dict[str, Any]:
    """Wait, without polling the order, until the ledger's last one has `status`."""

    async def last() -> dict[str, Any]:
        return (await ledger_rows(client))[-1]

    return await _until(last, lambda row: row["status"] == status)


async def _until(
    read: Callable[[], Awaitable[dict[str, Any]]], fits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while not fits(row := await read()):  # noqa: ASYNC110 - a ledger row has no event
            await asyncio.sleep(0.01)
        return row
