"""Many more buyers than keys, all at once: each key is sold once, and the rest are told."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(600)]

BUYERS, KEYS, AT_ONCE = 500, 100, 25


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    opened = Shop.of(stack)
    yield opened
    opened.http.close()


async def place_all(shop: Shop, product_id: str) -> list[PlacedOrder | int]:
    """What each buyer got: an order, or the status of a refusal."""
    gate = asyncio.Semaphore(AT_ONCE)
    # Five hundred people share no connections; one that is kept may be closed as it is used again.
    apart = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=apart) as http:

        async def place(number: int) -> PlacedOrder | int:
            email = f"crowd-{number}-{secrets.token_hex(3)}@example.com"
            items = [{"product_id": product_id, "quantity": 1}]
            body = {"email": email, "accept_terms": True, "items": items}
            # Who is asked to come again has the same order in mind.
            headers = {"Idempotency-Key": secrets.token_hex(16)}
            async with gate:
                while True:
                    answer = await http.post(
                        shop.url("orders", "/orders"), json=body, headers=headers
                    )
                    if answer.status_code != 503:
                        break
                    await asyncio.sleep(int(answer.headers["Retry-After"]))
            if answer.status_code != 201:
                return answer.status_code
            placed = answer.json()
            return PlacedOrder(placed["id"], placed["access_token"], email, placed)

        return await asyncio.gather(*(place(number) for number in range(BUYERS)))


def test_five_hundred_buyers_of_a_hundred_keys(shop: Shop) -> None:
    name = secrets.token_hex(3).upper()
    product_id = shop.add_product(f"Scarce {name}", backorder=False)
    shop.upload(product_id, [f"{name}-{number:05d}" for number in range(KEYS)])
    url = shop.url("orders", f"/products/{product_id}")
    shop.until(lambda: shop.http.get(url).json()["in_stock"], "the keys in the catalogue")

    answers = asyncio.run(place_all(shop, product_id))
    orders = [answer for answer in answers if isinstance(answer, PlacedOrder)]
    pages = [shop.wait_for(order, "awaiting_payment", "cancelled") for order in orders]
    told = [page["status_text"] for page in pages if page["status"] == "cancelled"]
    holders = [o for o, p in zip(orders, pages, strict=True) if p["status"] != "cancelled"]
    for order in holders:
        shop.pay(order)
    for order in holders:
        settled(shop, order)
    keys = Counter(key["value"] for order in holders for [key] in shop.keys(order.email))

    refused = [answer for answer in answers if not isinstance(answer, PlacedOrder)]
    assert set(refused) <= {409}
    assert all("sold out" in text for text in told)
    assert (len(holders), len(told) + len(refused)) == (KEYS, BUYERS - KEYS)
    assert len(keys) == KEYS
    assert set(keys.values()) == {1}


def settled(shop: Shop, order: PlacedOrder) -> None:
    """A hundred mails behind one another take their time on a busy machine."""
    shop.until(
        lambda: shop.page(order)["status"] == "fulfilled",
        f"order {order.id} to be fulfilled",
        lambda: shop.admin_page(order),
        seconds=240,
    )
