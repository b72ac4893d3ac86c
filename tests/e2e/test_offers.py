"""What a key costs at Kinguin decides whether it is sold, before anybody pays."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from stack.testing import Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

PRODUCT_ID = "5c9b5c9b5c9b5c9b5c9b0007"
OFFER_ID = "5f7e5f7e5f7e5f7e5f7e0007"


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    opened = Shop.of(stack)
    yield opened
    opened.faults("kinguin")
    opened.http.close()


@pytest.fixture
def product(shop: Shop) -> str:
    """A product of Kinguin whose offer was seen."""
    ids = {"kinguin_product_id": PRODUCT_ID, "kinguin_offer_id": OFFER_ID}
    added = shop.add_product(
        f"Offered {secrets.token_hex(3)}", "60.00", source_type="kinguin", **ids
    )
    shop.until(lambda: offer(shop, added), "its offer")
    return added


def offer(shop: Shop, product: str) -> dict[str, Any] | None:
    """The offer as an admin sees it."""
    url = shop.url("orders", f"/admin/products/{product}")
    seen: dict[str, Any] | None = (
        shop.http.get(url, headers=shop.admin).raise_for_status().json()["offer"]
    )
    return seen


def comes_to(shop: Shop, product: str, *, in_stock: bool) -> bool:
    """Kinguin has news of the product, until the shop shows it."""
    tell = shop.url("kinguin-simulator", f"/_simulator/products/{PRODUCT_ID}/tell")
    url = shop.url("orders", f"/products/{product}")

    def look() -> bool:
        shop.http.post(tell).raise_for_status()
        return bool(shop.http.get(url).json()["in_stock"]) is in_stock

    return shop.until(look, f"in_stock {in_stock}", lambda: offer(shop, product))


def order(shop: Shop, product: str) -> int:
    """The status of the answer to an order."""
    body = {
        "email": f"offers-{secrets.token_hex(4)}@example.com",
        "accept_terms": True,
        "items": [{"product_id": product, "quantity": 1}],
    }
    return shop.http.post(shop.url("orders", "/orders"), json=body).status_code


def test_product_that_became_too_dear_is_not_sold_until_it_is_cheaper(
    shop: Shop, product: str
) -> None:
    before = offer(shop, product)

    shop.faults("kinguin", price_factor=20)
    assert comes_to(shop, product, in_stock=False)
    dear, refused = offer(shop, product), order(shop, product)
    shop.faults("kinguin")
    assert comes_to(shop, product, in_stock=True)

    assert before is not None
    assert dear is not None
    assert (refused, order(shop, product)) == (409, 201)
    assert before["price"]["currency"] == "EUR"
    assert float(dear["price"]["amount"]) == pytest.approx(20 * float(before["price"]["amount"]))
    assert float(dear["cost_usd"]) > 60
    assert dear["quantity"] > 0
