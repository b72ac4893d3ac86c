"""A refund from the mail to the transaction, through the public interfaces only."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

TRON = {"coin": "usdttrc20", "address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    opened = Shop.of(stack)
    yield opened
    opened.http.close()


@pytest.fixture
def unwanted(shop: Shop) -> PlacedOrder:
    """A paid and delivered order of one key, cancelled before anybody opened it."""
    name = secrets.token_hex(3).upper()
    product_id = shop.add_product(f"Unwanted {name}")
    shop.upload(product_id, [f"{name}-00001"])
    order = shop.place(f"refund-{name.lower()}@example.com", (product_id, 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    url = shop.url("orders", f"/admin/orders/{order.id}/actions")
    body = {"action": "cancel", "reason": "the buyer asked"}
    shop.http.post(url, json=body, headers=shop.admin).raise_for_status()
    shop.wait_for(order, "refund_due")
    return order


def texts(shop: Shop, order: PlacedOrder, count: int) -> list[str]:
    return [mail.text for mail in shop.mails(order.email, count)]


def link_of(shop: Shop, order: PlacedOrder) -> httpx.Headers:
    """The token of the mailed link, as its page sends it."""
    pattern = rf"/refunds/{order.id}#([\w.-]+)"
    [token] = re.findall(pattern, "\n".join(texts(shop, order, 2)))
    return httpx.Headers({"Authorization": f"Bearer {token}"})


def due(shop: Shop, order: PlacedOrder, state: str) -> dict[str, Any]:
    url = shop.url("orders", f"/admin/refunds?state={state}&limit=100")
    rows = shop.http.get(url, headers=shop.admin).raise_for_status().json()["items"]
    [row] = [row for row in rows if row["order_id"] == order.id]
    return dict(row)


def test_money_goes_back_to_the_address_behind_the_mailed_link(
    shop: Shop, unwanted: PlacedOrder
) -> None:
    url = shop.url("orders", f"/orders/{unwanted.id}/refund")
    page = shop.http.get(shop.url("storefront", f"/refunds/{unwanted.id}"))
    given = shop.http.post(url, json=TRON, headers=link_of(shop, unwanted))
    row = due(shop, unwanted, "address_given")
    sent = {"tx_hash": "ab" * 32, "reason": "from the hot wallet"}
    answers = [
        shop.http.post(
            shop.url("orders", f"/admin/refunds/{row['id']}/sent"), json=sent, headers=shop.admin
        )
        for _ in range(2)
    ]

    assert (page.status_code, given.status_code) == (200, 200)
    assert (row["amount"], row["address"]) == ("25.00", TRON["address"])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert shop.wait_for(unwanted, "refunded")["refunds"][0]["tx_hash"] == "ab" * 32
    mails = texts(shop, unwanted, 4)
    assert len(mails) == 4
    assert sum(TRON["address"] in text for text in mails) == 1
    assert sum("ab" * 32 in text for text in mails) == 1


def test_address_is_in_no_log_and_no_message(shop: Shop, unwanted: PlacedOrder) -> None:
    url = shop.url("orders", f"/orders/{unwanted.id}/refund")
    shop.http.post(url, json=TRON, headers=link_of(shop, unwanted)).raise_for_status()
    wrong = {"coin": "btc", "address": "no-such-address-0123456789"}
    refused = shop.http.post(url, json=wrong, headers=unwanted.headers)
    texts(shop, unwanted, 3)

    logs = "".join(
        path.read_text(errors="replace") for path in shop.stack.folder.rglob("logs/*.log")
    )

    assert refused.status_code == 422
    assert logs
    assert TRON["address"] not in logs
    assert wrong["address"] not in logs
