"""The main path on the whole stack: ordered, paid, delivered, once; whatever goes wrong."""

import base64
import secrets
from collections.abc import Iterator

import httpx
import pytest
from stack.testing import Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def opened(stack: RunningStack) -> Iterator[Shop]:
    shop = Shop.of(stack)
    yield shop
    shop.http.close()


@pytest.fixture
def shop(opened: Shop) -> Iterator[Shop]:
    yield opened
    opened.faults("kinguin")
    opened.faults("nowpayments")


@pytest.fixture
def email() -> str:
    return f"buyer-{secrets.token_hex(4)}@example.com"


@pytest.fixture
def own(shop: Shop) -> tuple[str, list[str]]:
    """A product of own stock, and its keys."""
    name = secrets.token_hex(3).upper()
    keys = [f"{name}-{number:05d}-CCCCC" for number in range(5)]
    product_id = shop.add_product(f"Own {name}")
    shop.upload(product_id, keys)
    return product_id, keys


def bought(shop: Shop, number: int = 5, **fields: object) -> str:
    """A product that Kinguin sells, with the ids of the simulator's catalogue."""
    return shop.add_product(
        f"Bought {secrets.token_hex(3)}",
        "60.00",
        source_type="kinguin",
        kinguin_product_id=f"5c9b5c9b5c9b5c9b5c9b{number:04d}",
        kinguin_offer_id=f"5f7e5f7e5f7e5f7e5f7e{number:04d}",
        **fields,
    )


def serials(keys: list[dict[str, str]]) -> set[str]:
    return {key.get("value") or key["base64"] for key in keys}


def purchases(shop: Shop, order_id: str, line_id: str) -> list[dict[str, object]]:
    """What Kinguin's own ledger has for a line."""
    orders = shop.ledger("kinguin")["orders"]
    found = [order for order in orders if line_id in str(order["external_id"])]
    assert order_id
    return found


def test_own_key_is_delivered_and_the_page_tells_the_story(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    product_id, keys = own
    order = shop.place(email, (product_id, 1))

    shop.pay(order)
    page = shop.wait_for(order, "fulfilled")

    assert shop.keys(email) == [[{"type": "text/plain", "value": keys[0]}]]
    statuses = [entry["status"] for entry in page["history"]]
    assert statuses[0] == "placed"
    assert statuses[-1] == "fulfilled"
    assert page["items"][0]["delivery"]["reveals_left"] == 5


def test_mixed_cart_with_three_of_one_brings_every_key_once_in_one_mail(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    order = shop.place(email, (own[0], 2), (bought(shop), 3))

    shop.pay(order)
    page = shop.wait_for(order, "fulfilled")

    assert len(shop.mails(email)) == 1
    mine, theirs = sorted(shop.keys(email), key=len)
    assert serials(mine) == set(own[1][:2])
    [purchase] = purchases(shop, order.id, page["items"][1]["id"])
    ledger_keys = {key["serial"] for key in purchase["keys"]}  # type: ignore[attr-defined]  # JSON
    assert serials(theirs) == ledger_keys
    assert len(ledger_keys) == 3


def test_image_key_arrives_as_the_picture_kinguin_sold(shop: Shop, email: str) -> None:
    shop.faults("kinguin", image_keys=True)
    order = shop.place(email, (bought(shop), 1))

    shop.pay(order)
    page = shop.wait_for(order, "fulfilled")

    [[key]] = shop.keys(email)
    [purchase] = purchases(shop, order.id, page["items"][0]["id"])
    assert key["type"] == "image/png"
    assert base64.b64decode(key["base64"]).startswith(b"\x89PNG")
    assert key["base64"] == purchase["keys"][0]["serial"]  # type: ignore[index]  # JSON


def test_answer_lost_after_kinguin_took_the_order_buys_once(shop: Shop, email: str) -> None:
    shop.faults("kinguin", drop_answer_after_work=1)
    order = shop.place(email, (bought(shop), 1))

    shop.pay(order)
    page = shop.wait_for(order, "fulfilled")

    assert len(purchases(shop, order.id, page["items"][0]["id"])) == 1
    assert len(shop.keys(email)[0]) == 1


def test_repeated_and_shuffled_notifications_deliver_once(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    order = shop.place(email, (own[0], 1))

    shop.pay(order, repeat=3, shuffle=True)
    page = shop.wait_for(order, "fulfilled")

    assert len(shop.mails(email)) == 1
    assert [entry["status"] for entry in page["history"]].count("paid") == 1
    stock = shop.http.get(
        shop.url("fulfillment-custom", "/admin/stock"),
        params={"product_id": own[0]},
        headers=shop.admin,
    ).json()["items"][0]
    assert (stock["free"], stock["assigned"]) == (4, 1)


def test_part_of_the_money_ships_nothing(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    order = shop.place(email, (own[0], 1))

    shop.pay(order, outcome="partially_paid", paid_fraction=0.5)
    page = shop.wait_for(order, "underpaid")

    assert page["items"][0]["delivery"] is None
    assert "less than the price" in page["status_text"]


def test_forged_notification_has_no_effect(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    order = shop.place(email, (own[0], 1))
    shop.invoice(order)
    body = f'{{"payment_id":1,"payment_status":"finished","order_id":"{order.id}"}}'

    answer = shop.http.post(
        shop.url("payments", "/webhooks/nowpayments"),
        content=body,
        headers={"x-nowpayments-sig": "0" * 128, "Content-Type": "application/json"},
    )

    assert answer.status_code == 401
    assert shop.page(order)["status"] == "awaiting_payment"


def test_out_of_stock_line_waits_and_is_served_by_an_upload(shop: Shop, email: str) -> None:
    product_id = shop.add_product(f"Empty {secrets.token_hex(3)}")
    order = shop.place(email, (product_id, 1))
    shop.pay(order)
    page = shop.wait_for(order, "fulfilling")
    assert page["status_text"] == "Your key is being prepared…"

    key = f"LATE-{secrets.token_hex(4).upper()}"
    shop.upload(product_id, [key])
    shop.wait_for(order, "fulfilled")

    assert serials(shop.keys(email)[0]) == {key}


def test_new_link_replaces_the_old_one(shop: Shop, email: str, own: tuple[str, list[str]]) -> None:
    order = shop.place(email, (own[0], 1))
    shop.pay(order)
    page = shop.wait_for(order, "fulfilled")
    [old] = shop.links(email)
    delivery_id = page["items"][0]["delivery"]["id"]

    answer = shop.http.post(
        shop.url("delivery", f"/deliveries/{delivery_id}/link"), headers=order.headers
    )
    shop.mails(email, 2)

    assert answer.status_code == 202
    assert shop.reveal(old).status_code == 404
    assert shop.reveal(shop.links(email)[-1]).status_code == 200


def test_mailed_link_opens_a_page_that_does_not_hold_the_key(
    shop: Shop, email: str, own: tuple[str, list[str]]
) -> None:
    order = shop.place(email, (own[0], 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    [(delivery_id, _)] = shop.links(email)

    page = httpx.get(shop.url("storefront", f"/keys/{delivery_id}"))

    assert page.status_code == 200
    assert own[1][0] not in page.text
