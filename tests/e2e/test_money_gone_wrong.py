"""Money that comes short, twice, late, in another coin, or goes back: each case to its end."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shop(stack: RunningStack) -> Iterator[Shop]:
    opened = Shop.of(stack)
    yield opened
    opened.http.close()


def product(shop: Shop, *, keys: int = 1, **fields: Any) -> str:
    """A product of own stock for 25 dollars."""
    name = secrets.token_hex(3).upper()
    product_id = shop.add_product(f"Odd money {name}", **fields)
    shop.upload(product_id, [f"{name}-{number:05d}" for number in range(keys)])
    return product_id


def order(shop: Shop, product_id: str) -> PlacedOrder:
    return shop.place(f"odd-{secrets.token_hex(4)}@example.com", (product_id, 1))


def simulate(shop: Shop, payment_id: str, what: str, **body: Any) -> dict[str, Any]:
    """Have the gateway's simulator do something with a payment."""
    url = shop.url("nowpayments-simulator", f"/_simulator/payments/{payment_id}/{what}")
    answer = shop.http.post(url, json=body)
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()
    return row


def act(shop: Shop, placed: PlacedOrder, action: str) -> httpx.Response:
    url = shop.url("orders", f"/admin/orders/{placed.id}/actions")
    body = {"action": action, "reason": "the buyer wrote"}
    return shop.http.post(url, json=body, headers=shop.admin)


def owed(shop: Shop, placed: PlacedOrder, count: int = 1) -> list[dict[str, Any]]:
    """What the order page says is owed back, once it says so much."""

    def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = shop.page(placed)["refunds"]
        return found if len(found) == count else None

    return shop.until(look, f"{count} refunds", lambda: shop.admin_page(placed))


def is_delivered(shop: Shop, placed: PlacedOrder) -> bool:
    """The order is fulfilled, and its one key opens."""
    shop.wait_for(placed, "fulfilled")
    [[key]] = shop.keys(placed.email)
    return bool(key["value"])


def expire(shop: Shop, product_id: str) -> tuple[PlacedOrder, str]:
    """An order whose payment expired at the gateway; the payment's id."""
    placed = order(shop, product_id)
    payment = shop.pay(placed, outcome="expired")
    shop.wait_for(placed, "expired")
    return placed, str(payment["payment_id"])


def test_underpaid_within_tolerance_is_delivered(shop: Shop) -> None:
    placed = order(shop, product(shop))

    shop.pay(placed, paid_fraction=0.99)

    assert is_delivered(shop, placed)
    assert shop.page(placed)["refunds"] == []


def test_finished_with_less_than_tolerated_waits_and_is_finished_by_the_rest(shop: Shop) -> None:
    placed = order(shop, product(shop))

    payment = shop.pay(placed, paid_fraction=0.9)
    page = shop.wait_for(placed, "underpaid")
    simulate(shop, payment["payment_id"], "pay", outcome="finished")

    assert page["items"][0]["delivery"] is None
    assert is_delivered(shop, placed)


@pytest.mark.parametrize(("cost", "accepted"), [("11.25", True), ("11.26", False)])
def test_underpaid_is_accepted_only_above_the_margin_floor(
    shop: Shop, cost: str, *, accepted: bool
) -> None:
    placed = order(shop, product(shop, cost_usd=cost))
    shop.pay(placed, outcome="partially_paid", paid_fraction=0.5)
    shop.wait_for(placed, "underpaid")

    answer = act(shop, placed, "accept_underpaid")

    if accepted:
        assert answer.status_code == 200
        assert is_delivered(shop, placed)
    else:
        assert (answer.status_code, "margin floor" in answer.json()["detail"]) == (409, True)
        assert shop.page(placed)["status"] == "underpaid"


def pay_parts(shop: Shop, placed: PlacedOrder, *fractions: float) -> list[dict[str, Any]]:
    """Several payments of one invoice, each too little."""
    paid = [
        shop.pay(placed, outcome="partially_paid", paid_fraction=fraction) for fraction in fractions
    ]
    shop.until(lambda: len(arrived(shop, placed)) == len(paid), "all parts to be known")
    shop.wait_for(placed, "underpaid")
    return paid


def arrived(shop: Shop, placed: PlacedOrder) -> list[dict[str, Any]]:
    """The payments of an order that hold a part of its price."""
    url = shop.url("payments", f"/admin/payments?order_id={placed.id}&limit=100")
    rows = shop.http.get(url, headers=shop.admin).raise_for_status().json()["items"]
    return [r for r in rows if (r["kind"], r["status"]) == ("payment", "partially_paid")]


def test_largest_part_payment_is_accepted_and_the_other_is_owed_back(shop: Shop) -> None:
    placed = order(shop, product(shop, cost_usd="1"))
    _, smaller = pay_parts(shop, placed, 0.6, 0.4)

    answer = act(shop, placed, "accept_underpaid")

    assert answer.status_code == 200, answer.text
    [refund] = owed(shop, placed)
    assert float(refund["amount"]) == pytest.approx(smaller["pay_amount"] * 0.4, rel=1e-6)
    assert is_delivered(shop, placed)


def test_every_part_payment_of_a_cancelled_order_is_owed_back(shop: Shop) -> None:
    placed = order(shop, product(shop))
    pay_parts(shop, placed, 0.6, 0.4)

    assert act(shop, placed, "cancel").status_code == 200

    assert len(owed(shop, placed, 2)) == 2
    assert shop.page(placed)["status"] == "cancelled"


def test_part_payment_before_a_full_one_is_owed_back(shop: Shop) -> None:
    placed = order(shop, product(shop))
    pay_parts(shop, placed, 0.5)

    shop.pay(placed)

    assert is_delivered(shop, placed)
    assert len(owed(shop, placed)) == 1


def test_overpaid_is_delivered_and_the_surplus_is_owed_back(shop: Shop) -> None:
    placed = order(shop, product(shop))

    payment = shop.pay(placed, paid_fraction=1.5)

    [surplus] = owed(shop, placed)
    assert float(surplus["amount"]) == pytest.approx(payment["pay_amount"] / 2, rel=1e-6)
    assert (surplus["currency"], surplus["state"]) == ("btc", "due")
    assert is_delivered(shop, placed)


def test_repeated_deposit_is_owed_back_and_nothing_is_delivered_twice(shop: Shop) -> None:
    placed = order(shop, product(shop, keys=2))

    payment = shop.pay(placed, child_deposit=True)

    [further] = owed(shop, placed)
    assert float(further["amount"]) == pytest.approx(payment["pay_amount"])
    assert is_delivered(shop, placed)


def test_deposit_in_another_coin_pays_nothing_and_is_owed_back_in_that_coin(shop: Shop) -> None:
    placed = order(shop, product(shop))
    payment = shop.pay(placed, outcome="waiting")

    simulate(shop, payment["payment_id"], "deposit", outcome="finished", pay_currency="ltc")

    [further] = owed(shop, placed)
    assert further["currency"] == "ltc"
    assert shop.page(placed)["items"][0]["delivery"] is None
    shop.pay(placed)
    assert is_delivered(shop, placed)
    assert len(shop.page(placed)["refunds"]) == 1


def test_paid_after_expiry_is_delivered_while_stock_and_margin_allow(shop: Shop) -> None:
    placed, payment_id = expire(shop, product(shop))

    simulate(shop, payment_id, "pay", outcome="finished")

    assert is_delivered(shop, placed)


def test_paid_after_expiry_is_owed_back_when_the_last_key_is_gone(shop: Shop) -> None:
    product_id = product(shop)
    placed, payment_id = expire(shop, product_id)
    other = shop.until(lambda: faster(shop, product_id), "the key to be free again")
    shop.pay(other)
    assert is_delivered(shop, other)

    simulate(shop, payment_id, "pay", outcome="finished")

    shop.wait_for(placed, "refund_due")
    [refund] = owed(shop, placed)
    assert (refund["amount"], refund["currency"]) == ("25.00", "USD")


def faster(shop: Shop, product_id: str) -> PlacedOrder | None:
    """Another order that has the key, or None where it was still held."""
    placed = order(shop, product_id)
    page = shop.wait_for(placed, "awaiting_payment", "cancelled")
    return placed if page["status"] == "awaiting_payment" else None


def test_paid_after_expiry_is_owed_back_when_the_margin_is_gone(shop: Shop) -> None:
    product_id = product(shop, cost_usd="10")
    placed, payment_id = expire(shop, product_id)
    shop.http.patch(
        shop.url("orders", f"/admin/products/{product_id}"),
        json={"cost_usd": "24"},
        headers=shop.admin,
    ).raise_for_status()

    simulate(shop, payment_id, "pay", outcome="finished")

    shop.wait_for(placed, "refund_due")
    assert [refund["amount"] for refund in owed(shop, placed)] == ["25.00"]


def test_failed_payment_delivers_nothing_and_can_be_tried_again(shop: Shop) -> None:
    placed = order(shop, product(shop))
    shop.pay(placed, outcome="failed")
    page = shop.wait_for(placed, "payment_failed")

    shop.pay(placed)

    assert page["items"][0]["delivery"] is None
    assert is_delivered(shop, placed)


def test_money_given_back_by_the_gateway_flags_the_order_and_hides_nothing(shop: Shop) -> None:
    placed = order(shop, product(shop))
    payment = shop.pay(placed)
    shop.wait_for(placed, "fulfilled")

    simulate(shop, payment["payment_id"], "refund")

    page = shop.wait_for(placed, "needs_attention")
    assert page["items"][0]["delivery"] is not None
    assert page["refunds"] == []
    assert any("refunded" in why for why in shop.admin_page(placed)["attention"])
    assert len(shop.keys(placed.email)) == 1
