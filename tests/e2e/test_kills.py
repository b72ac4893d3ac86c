"""kill -9 of any service while orders run loses nothing and delivers nothing twice."""

import secrets
import time
from collections.abc import Iterator

import pytest
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

SERVICES = ("payments", "orders", "fulfillment-custom", "fulfillment-kinguin", "delivery")


@pytest.fixture(scope="module")
def shop(stack: RunningStack) -> Iterator[Shop]:
    shop = Shop.of(stack)
    yield shop
    shop.http.close()


def settled(shop: Shop, order: PlacedOrder) -> None:
    shop.until(
        lambda: (shop.page_or_none(order) or {}).get("status") == "fulfilled",
        f"order {order.id} to be fulfilled",
        lambda: shop.page_or_none(order),
        seconds=120,
    )


@pytest.mark.parametrize("victim", SERVICES)
def test_service_killed_during_orders_loses_nothing(shop: Shop, victim: str) -> None:
    name = secrets.token_hex(3).upper()
    keys = [f"{name}-{number:05d}-DDDDD" for number in range(6)]
    own = shop.add_product(f"Kill {name}")
    bought = shop.add_product(
        f"Kill bought {name}",
        "60.00",
        source_type="kinguin",
        kinguin_product_id="5c9b5c9b5c9b5c9b5c9b0006",
        kinguin_offer_id="5f7e5f7e5f7e5f7e5f7e0006",
    )
    shop.upload(own, keys)
    orders = [
        shop.place(f"kill-{name.lower()}-{number}@example.com", (own, 1), (bought, 1))
        for number in range(3)
    ]
    for order in orders:
        shop.pay(order)
        time.sleep(0.2)  # spread them, so that the kill falls into different steps

    shop.stack.kill(victim)

    for order in orders:
        settled(shop, order)
    revealed = [key["value"] for order in orders for keys in shop.keys(order.email) for key in keys]
    assert len(revealed) == len(set(revealed)) == 6
    lines = [line["id"] for order in orders for line in order.body["items"][1:]]
    ledger = shop.ledger("kinguin")["orders"]
    for line in lines:
        assert len([entry for entry in ledger if line in str(entry["external_id"])]) == 1
