"""Cancelling what is paid for, on the whole stack: the key or the money, never both."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    opened = Shop.of(stack)
    yield opened
    opened.http.close()


@pytest.fixture
def delivered(shop: Shop) -> PlacedOrder:
    """An order of one key from own stock, in the buyer's mailbox and not opened yet."""
    name = secrets.token_hex(3).upper()
    product_id = shop.add_product(f"Regretted {name}")
    shop.upload(product_id, [f"{name}-00001"])
    order = shop.place(f"buyer-{name.lower()}@example.com", (product_id, 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    return order


def cancel(shop: Shop, order: PlacedOrder) -> httpx.Response:
    url = shop.url("orders", f"/admin/orders/{order.id}/actions")
    body = {"action": "cancel", "reason": "the buyer asked"}
    return shop.http.post(url, json=body, headers=shop.admin)


def test_unseen_key_is_void_and_its_money_owed_back(shop: Shop, delivered: PlacedOrder) -> None:
    [link] = shop.links(delivered.email)

    assert cancel(shop, delivered).status_code == 200
    page = shop.wait_for(delivered, "refund_due")

    assert shop.reveal(link).status_code == 410
    assert page["items"][0]["delivery"] is None


def test_key_that_was_shown_stays_and_the_cancellation_is_refused(
    shop: Shop, delivered: PlacedOrder
) -> None:
    [[key]] = shop.keys(delivered.email)

    assert cancel(shop, delivered).status_code == 200
    shop.until(
        lambda: shop.admin_page(delivered)["items"][0]["cancellation"] == "refused", "a refusal"
    )

    assert shop.page(delivered)["status"] == "fulfilled"
    assert shop.keys(delivered.email) == [[key]]
    again = cancel(shop, delivered)
    assert (again.status_code, "shown already" in again.json()["detail"]) == (409, True)
