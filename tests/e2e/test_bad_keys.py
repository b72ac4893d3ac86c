"""A key that does not work: reported, replaced by another or paid back, by public interfaces."""

import secrets
from collections.abc import Iterator
from typing import Any

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
def sold(shop: Shop) -> PlacedOrder:
    """A paid and delivered order of one key; a second one is in stock."""
    name = secrets.token_hex(3).upper()
    product_id = shop.add_product(f"Bad {name}")
    shop.upload(product_id, [f"{name}-00001", f"{name}-00002"])
    order = shop.place(f"bad-{name.lower()}@example.com", (product_id, 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    return order


def report(shop: Shop, order: PlacedOrder) -> str:
    """The id of the case."""
    item = shop.page(order)["items"][0]["id"]
    url = shop.url("orders", f"/orders/{order.id}/items/{item}/report")
    answers = [
        shop.http.post(url, json={"reason": "It was used already."}, headers=order.headers)
        for _ in range(2)
    ]
    [case_id] = {answer.raise_for_status().json()["id"] for answer in answers}
    return str(case_id)


def resolve(shop: Shop, case_id: str, action: str) -> dict[str, Any]:
    url = shop.url("orders", f"/admin/bad-keys/{case_id}/resolve")
    body = {"action": action, "reason": "the maker confirmed it"}
    answers = [shop.http.post(url, json=body, headers=shop.admin) for _ in range(2)]
    first, again = [answer.raise_for_status().json() for answer in answers]
    assert first == again
    return dict(first)


def subjects(shop: Shop, order: PlacedOrder, count: int) -> list[str]:
    return [mail.subject for mail in shop.mails(order.email, count)]


def test_bad_key_is_replaced_by_another_that_its_buyer_can_open(
    shop: Shop, sold: PlacedOrder
) -> None:
    [[first]] = shop.keys(sold.email)

    assert resolve(shop, report(shop, sold), "replace")["state"] == "replaced"
    page = shop.until(
        lambda: (
            (page := shop.page(sold))["status"] == "fulfilled" and len(page["items"]) == 2 and page
        ),
        "the second key",
    )
    told = subjects(shop, sold, 4)

    second = next(item for item in page["items"] if item["replaces"])
    links = dict(shop.links(sold.email))
    delivery_id = second["delivery"]["id"]
    [key] = shop.reveal((delivery_id, links[delivery_id])).raise_for_status().json()["keys"]
    assert key["value"] != first["value"]
    assert {"We have your report about a key", "You get another key"} < set(told)
    assert len(told) == 4
    assert page["total"]["amount"] == "25.00"


def test_bad_key_is_paid_back(shop: Shop, sold: PlacedOrder) -> None:
    shop.keys(sold.email)

    assert resolve(shop, report(shop, sold), "refund")["state"] == "refunded"

    owed = shop.wait_for(sold, "refund_due")["refunds"]
    assert [(row["amount"], row["state"]) for row in owed] == [("25.00", "due")]
    assert set(subjects(shop, sold, 3)) >= {
        "We have your report about a key",
        "We owe you money back",
    }
