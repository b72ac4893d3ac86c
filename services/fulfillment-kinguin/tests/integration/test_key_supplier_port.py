"""What a `KeySupplier` promises, on the fake and on both clients against the simulator."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from foundation.clock import SystemClock, new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.esa_client import EsaClient
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp, kinguin_client
from fulfillment_kinguin.adapters.sales_manager_client import SalesManagerClient
from fulfillment_kinguin.domain.supply import Choice, OrderStatus, OrderToPlace
from fulfillment_kinguin.errors import (
    DuplicateExternalId,
    InsufficientBalance,
    NotFound,
    NotSupported,
    ProductUnavailable,
    Unclear,
)
from fulfillment_kinguin.ports import KeySupplier
from fulfillment_kinguin.testing import API_KEY, OFFER_ID, PRODUCT_ID, FakeSupplier
from pydantic import SecretStr
from stack.contract_fixtures import (
    REAL,
    REAL_PARAM,
    Announce,
    credentials,
    only_simulated,
)


@dataclass
class World:
    """A supplier, and the side of it that only tests see. `spend` may refuse an order's cost."""

    supplier: KeySupplier
    set_faults: Callable[..., Awaitable[None]]
    external_ids: Callable[[], Awaitable[list[str]]]
    product_id: str = PRODUCT_ID
    product_name: str = "ember hollow"
    price: Decimal = Decimal(50)
    spend: Callable[[Decimal], None] | None = None
    asked: list[str] = field(default_factory=list)

    def order(self, quantity: int = 1, price: Decimal | None = None) -> OrderToPlace:
        unit_price = self.price if price is None else price
        if self.spend is not None:
            self.spend(unit_price * quantity)
        choice = Choice(unit_price) if self.supplier.knows_prices else Choice(None, OFFER_ID)
        self.asked.append(str(new_id()))
        return OrderToPlace(self.asked[-1], self.product_id, quantity, choice)

    async def completed(self, order_id: str) -> OrderStatus:
        """The simulators are done when they are asked; Kinguin takes its time."""
        status = (await self.supplier.order(order_id)).status
        while status is OrderStatus.PROCESSING and self.spend is not None:
            await asyncio.sleep(2)
            status = (await self.supplier.order(order_id)).status
        return status


def fake_world() -> World:
    fake = FakeSupplier()

    async def set_faults(**faults: Any) -> None:
        fake.set_faults(**faults)

    async def external_ids() -> list[str]:
        return [order.external_id for order in fake.ledger]

    return World(fake, set_faults, external_ids)


def simulated_world(client: httpx.AsyncClient, base: str, dialect: str) -> World:
    http = KinguinHttp(client, FixedClock(), requests_per_second=1000)
    supplier = EsaClient(http) if dialect == "esa" else SalesManagerClient(http)

    async def set_faults(**faults: Any) -> None:
        (await client.put(f"{base}/_simulator/faults", json=faults)).raise_for_status()

    async def external_ids() -> list[str]:
        ledger = (await client.get(f"{base}/_simulator/ledger")).json()
        return [order["external_id"] for order in ledger["orders"]]

    return World(supplier, set_faults, external_ids)


REAL_VARIABLES = (
    "CONTRACT_KINGUIN_API_URL",
    "CONTRACT_KINGUIN_API_KEY",
    "CONTRACT_KINGUIN_PRODUCT_ID",
    "CONTRACT_KINGUIN_SPEND_EUR",
)


@pytest.fixture(scope="session")
def purse() -> Callable[[Decimal], None]:
    """What the contract check may still spend; a test that costs more is skipped."""
    left = [Decimal(os.environ.get("CONTRACT_KINGUIN_SPEND_EUR", "0"))]

    def spend(amount: Decimal) -> None:
        if amount > left[0]:
            pytest.skip(f"costs up to {amount} EUR, CONTRACT_KINGUIN_SPEND_EUR has {left[0]} left")
        left[0] -= amount

    return spend


@asynccontextmanager
async def real_world(announce: Announce, purse: Callable[[Decimal], None]) -> AsyncIterator[World]:
    url, key, product_id, _ = credentials(*REAL_VARIABLES).values()

    async def say(sent: httpx.Request) -> None:
        announce(f"Kinguin {sent.method} {sent.url.path}", price_of(sent))

    async with kinguin_client(url, SecretStr(key)) as client:
        client.event_hooks = {"request": [say]}
        supplier = EsaClient(KinguinHttp(client, SystemClock(), requests_per_second=2))
        product = await supplier.product(product_id)
        if product.price is None:
            pytest.fail(f"CONTRACT_KINGUIN_PRODUCT_ID {product_id} is not on sale: name another")
        asked: list[str] = []

        async def external_ids() -> list[str]:
            found = [await supplier.orders_of(external_id) for external_id in asked]
            return [str(order.external_id) for orders in found for order in orders]

        yield World(
            supplier,
            no_faults,
            external_ids,
            product_id=product_id,
            product_name=product.name,
            price=product.price,
            spend=purse,
            asked=asked,
        )


def price_of(sent: httpx.Request) -> str:
    """What a request to Kinguin costs at most."""
    if sent.method != "POST":
        return "free"
    lines = json.loads(sent.content, parse_float=Decimal)["products"]
    total = sum(Decimal(line["price"]) * line["qty"] for line in lines)
    return f"up to {total} EUR, charged to the account's balance"


async def no_faults(**_faults: Any) -> None:
    only_simulated("faults")


@pytest.fixture(
    params=[
        "fake",
        pytest.param("esa", marks=pytest.mark.integration),
        pytest.param("sales-manager", marks=pytest.mark.integration),
        REAL_PARAM,
    ]
)
async def world(
    request: pytest.FixtureRequest, announce: Announce, purse: Callable[[Decimal], None]
) -> AsyncIterator[World]:
    if request.param == "fake":
        yield fake_world()
        return
    if request.param == REAL:
        async with real_world(announce, purse) as real:
            yield real
        return
    base: str = request.getfixturevalue("simulator")
    url = f"{base}/esa/api" if request.param == "esa" else base
    async with kinguin_client(url, SecretStr(API_KEY)) as client:
        yield simulated_world(client, base, request.param)


async def test_placed_order_brings_its_key(world: World) -> None:
    order = world.order()

    placed = await world.supplier.place(order)

    assert await world.completed(placed.order_id) is OrderStatus.COMPLETED
    [key] = await world.supplier.keys(placed.order_id)
    assert key.key.media_type == "text/plain"
    assert await world.external_ids() == [order.external_id]


async def test_most_keys_of_one_order_all_come(world: World) -> None:
    quantity = world.supplier.max_quantity
    placed = await world.supplier.place(world.order(quantity))
    assert await world.completed(placed.order_id) is OrderStatus.COMPLETED

    keys = await world.supplier.keys(placed.order_id)

    assert len({key.key_id for key in keys}) == len({key.key for key in keys}) == quantity


async def test_order_without_keys_yet_is_processing_and_has_none(world: World) -> None:
    await world.set_faults(polls_until_ready=3)
    placed = await world.supplier.place(world.order())

    assert (await world.supplier.order(placed.order_id)).status is OrderStatus.PROCESSING
    assert await world.supplier.keys(placed.order_id) == []
    assert (await world.supplier.order(placed.order_id)).status is OrderStatus.COMPLETED


async def test_picture_keys_come_as_pictures(world: World) -> None:
    await world.set_faults(image_keys=True)
    placed = await world.supplier.place(world.order())
    await world.supplier.order(placed.order_id)

    [key] = await world.supplier.keys(placed.order_id)

    assert key.key.media_type == "image/png"
    assert key.key.value.startswith(b"\x89PNG\r\n\x1a\n")


async def test_key_that_was_sold_before_comes_under_an_id_of_its_own(world: World) -> None:
    first = await world.supplier.place(world.order())
    await world.completed(first.order_id)
    await world.set_faults(repeat_keys=1)
    second = await world.supplier.place(world.order())
    await world.completed(second.order_id)

    [one] = await world.supplier.keys(first.order_id)
    [same] = await world.supplier.keys(second.order_id)

    assert one.key == same.key
    assert one.key_id != same.key_id


async def test_canceled_order_says_so(world: World) -> None:
    await world.set_faults(cancel=True)
    placed = await world.supplier.place(world.order())

    assert (await world.supplier.order(placed.order_id)).status is OrderStatus.CANCELED
    assert await world.supplier.keys(placed.order_id) == []


async def test_order_is_found_by_its_external_id_only(world: World) -> None:
    mine, other = world.order(), world.order()
    placed = await world.supplier.place(mine)
    await world.supplier.place(other)

    [found] = await world.supplier.orders_of(mine.external_id)

    assert (found.order_id, found.external_id) == (placed.order_id, mine.external_id)
    assert await world.supplier.orders_of("nobody's") == []


async def test_orders_are_listed_from_a_moment_on(world: World) -> None:
    if isinstance(world.supplier, SalesManagerClient):
        pytest.skip("this dialect does not list orders")
    first = await world.supplier.place(world.order())
    second = await world.supplier.place(world.order())
    assert first.created_at is not None
    assert second.created_at is not None

    listed = await world.supplier.orders_since(first.created_at)
    later = await world.supplier.orders_since(second.created_at + timedelta(seconds=60))

    ours = {order.order_id: order.external_id for order in (first, second)}
    assert ours.items() <= {order.order_id: order.external_id for order in listed}.items()
    assert later == []


async def test_lost_answer_is_unclear_and_the_order_is_found(world: World) -> None:
    await world.set_faults(drop_answer_after_work=1)
    order = world.order()

    with pytest.raises(Unclear):
        await world.supplier.place(order)

    assert len(await world.supplier.orders_of(order.external_id)) == 1
    assert await world.external_ids() == [order.external_id]


async def test_used_external_id_is_no_refusal(world: World) -> None:
    order = world.order()
    await world.supplier.place(order)

    with pytest.raises(DuplicateExternalId):
        await world.supplier.place(order)

    assert len(await world.external_ids()) == 1


async def test_external_id_used_twice_is_found_twice_where_that_is_allowed(world: World) -> None:
    await world.set_faults(refuse_duplicates=False)
    order = world.order()
    first = await world.supplier.place(order)
    second = await world.supplier.place(order)

    found = await world.supplier.orders_of(order.external_id)

    assert {o.order_id for o in found} == {first.order_id, second.order_id}


async def test_empty_account_buys_nothing(world: World) -> None:
    await world.set_faults(balance=0)

    with pytest.raises(InsufficientBalance):
        await world.supplier.place(world.order())

    assert await world.external_ids() == []


async def test_unknown_order_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.supplier.order("NOSUCHORDER")
    with pytest.raises(NotFound):
        await world.supplier.keys("NOSUCHORDER")


async def test_dialect_with_prices_tells_and_keeps_them(world: World) -> None:
    if not world.supplier.knows_prices:
        with pytest.raises(NotSupported):
            await world.supplier.product(world.product_id)
        with pytest.raises(NotSupported):
            await world.supplier.products("ember", page=1, limit=25)
        with pytest.raises(NotSupported):
            await world.supplier.products_by_ids([world.product_id])
        with pytest.raises(NotSupported):
            await world.supplier.balance()
        return
    product = await world.supplier.product(world.product_id)
    assert product.price is not None
    before = await world.supplier.balance()

    placed = await world.supplier.place(world.order(price=product.price))
    with pytest.raises(ProductUnavailable):
        await world.supplier.place(world.order(price=product.price - Decimal("0.01")))

    assert placed.price_charged == product.price
    assert await world.supplier.balance() == before - product.price


@pytest.mark.parametrize(
    "world",
    ["fake", pytest.param("esa", marks=pytest.mark.integration), REAL_PARAM],
    indirect=True,
)
async def test_products_are_found_page_by_page(world: World) -> None:
    found = await world.supplier.products(world.product_name, page=1, limit=25)
    beyond = await world.supplier.products(world.product_name, page=found.total // 25 + 2, limit=25)

    names = {product.product_id: product.name for product in found.products}
    assert world.product_id in names
    assert all(world.product_name.casefold() in name.casefold() for name in names.values())
    assert (min(found.total, 25), list(beyond.products)) == (len(names), [])
    with pytest.raises(NotFound):
        await world.supplier.product("5c9b5c9b5c9b5c9b5c9b9999")


@pytest.mark.parametrize(
    "world",
    ["fake", pytest.param("esa", marks=pytest.mark.integration), REAL_PARAM],
    indirect=True,
)
async def test_products_are_listed_by_their_ids_and_unknown_ones_are_missing(world: World) -> None:
    known = await world.supplier.product(world.product_id)

    found = await world.supplier.products_by_ids([world.product_id, "5c9b5c9b5c9b5c9b5c9b9999"])

    assert [product.product_id for product in found] == [world.product_id]
    assert (found[0].price, found[0].kinguin_id) == (known.price, known.kinguin_id)
    assert await world.supplier.products_by_ids(["5c9b5c9b5c9b5c9b5c9b9999"]) == []


@pytest.mark.parametrize(
    "world", [pytest.param("esa", marks=pytest.mark.integration), REAL_PARAM], indirect=True
)
async def test_hundred_products_are_listed_at_once_by_numbers_and_ids(world: World) -> None:
    known = await world.supplier.product(world.product_id)
    ids = [world.product_id.upper(), f"0{known.kinguin_id}"]

    found = await world.supplier.products_by_ids([*ids, *(f"{n:024x}" for n in range(98))])

    assert {product.product_id for product in found} == {world.product_id}
