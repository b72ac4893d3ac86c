"""Placing an order over HTTP, and looking at it."""

import asyncio
import base64
import json
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, StockLevel, StockUpdated
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters.tables import idempotency_keys
from servicekit.testing import ServiceHarness

NEW_PRODUCT = {"title": "Moon Farmer", "retail_price": {"amount": "25.00", "currency": "USD"}}
Headers = dict[str, str]


async def add_product(orders: ServiceHarness, admin: Headers, **fields: object) -> str:
    answer = await orders.http.post(
        "/admin/products", json={**NEW_PRODUCT, **fields}, headers=admin
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def an_order(product_id: str, **fields: object) -> dict[str, object]:
    return {
        "email": "buyer@example.com",
        "accept_terms": True,
        "items": [{"product_id": product_id, "quantity": 1}],
        **fields,
    }


def a_stock_level(product_id: str, *, free: int, version: int) -> StockUpdated:
    level = StockLevel(product_id=UUID(product_id), free=free, version=version)
    return StockUpdated(id=new_id(), occurred_at=FixedClock().now(), level=level)


async def test_placed_order_is_billed_at_the_catalogue_price(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)

    answer = await orders.http.post("/orders", json=an_order(product_id))

    assert answer.status_code == 201
    assert answer.json()["total"] == {"amount": "25.00", "currency": "USD"}
    [placed] = await orders.sent(OrderPlaced)
    assert str(placed.order_id) == answer.json()["id"]
    assert str(placed.total.amount.normalize()) == "25"


async def test_own_token_opens_the_order_page(orders: ServiceHarness, admin: Headers) -> None:
    product_id = await add_product(orders, admin)
    placed = (await orders.http.post("/orders", json=an_order(product_id))).json()

    page = await orders.http.get(
        f"/orders/{placed['id']}", headers={"Authorization": f"Bearer {placed['access_token']}"}
    )

    assert page.status_code == 200
    assert page.json()["status"] == "placed"
    assert page.json()["history"][0]["status"] == "placed"
    assert "access_token" not in page.json()


async def test_same_key_and_body_gives_the_same_answer_and_one_order(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)
    key = {"Idempotency-Key": "one"}

    first = await orders.http.post("/orders", json=an_order(product_id), headers=key)
    second = await orders.http.post("/orders", json=an_order(product_id), headers=key)

    assert (second.status_code, second.json()) == (201, first.json())
    assert len(await orders.sent(OrderPlaced)) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"accept_terms": False}, "accept_terms"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b\r\nBcc: c@d"}, "email"),
        ({"items": []}, "items"),
        ({"price": "0.01"}, "price"),
    ],
)
async def test_wrong_order_is_refused_with_the_field(
    orders: ServiceHarness, admin: Headers, fields: dict[str, object], field: str
) -> None:
    product_id = await add_product(orders, admin)

    answer = await orders.http.post("/orders", json=an_order(product_id, **fields))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await orders.sent(OrderPlaced) == []


@pytest.mark.parametrize("quantity", [0, 10, -1, 1.5, "2", True])
async def test_wrong_quantity_is_refused(
    orders: ServiceHarness, admin: Headers, quantity: object
) -> None:
    items = [{"product_id": await add_product(orders, admin), "quantity": quantity}]

    answer = await orders.http.post("/orders", json=an_order("", items=items))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "items.0.quantity"


@pytest.mark.parametrize("status", ["inactive", "unknown"])
async def test_product_that_is_not_on_sale_is_not_found(
    orders: ServiceHarness, admin: Headers, status: str
) -> None:
    hidden = await add_product(orders, admin, status="inactive")

    answer = await orders.http.post(
        "/orders", json=an_order(hidden if status == "inactive" else str(new_id()))
    )

    assert answer.status_code == 404


async def test_sold_out_product_without_backorder_is_refused(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin, backorder=False)
    await orders.deliver(a_stock_level(product_id, free=1, version=1))
    two = [{"product_id": product_id, "quantity": 2}]
    split = [{"product_id": product_id, "quantity": 1}] * 2

    answers = [
        await orders.http.post("/orders", json=an_order(product_id, items=items))
        for items in (two, split, split[:1])
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 201]


async def test_total_below_the_least_the_gateway_takes_is_refused(
    orders: ServiceHarness, admin: Headers
) -> None:
    cheap = await add_product(orders, admin, retail_price={"amount": "0.99", "currency": "USD"})

    answer = await orders.http.post("/orders", json=an_order(cheap))

    assert answer.status_code == 422
    assert "1.00 USD" in answer.json()["detail"]


async def test_same_key_for_another_body_is_refused(orders: ServiceHarness, admin: Headers) -> None:
    product_id = await add_product(orders, admin)
    key = {"Idempotency-Key": "one"}
    await orders.http.post("/orders", json=an_order(product_id), headers=key)

    answer = await orders.http.post(
        "/orders", json=an_order(product_id, email="other@example.com"), headers=key
    )

    assert answer.status_code == 409


@pytest.mark.parametrize(("age", "number_of_orders"), [(86_399, 1), (86_401, 2)])
async def test_key_stands_for_its_order_for_a_day(
    orders: ServiceHarness, admin: Headers, clock: FixedClock, age: int, number_of_orders: int
) -> None:
    body, key = an_order(await add_product(orders, admin)), {"Idempotency-Key": "one"}
    await orders.http.post("/orders", json=body, headers=key)
    async with orders.database.transaction() as transaction:
        placed_at = clock.now() - timedelta(seconds=age)
        await transaction.execute(sa.update(idempotency_keys).values(created_at=placed_at))

    await orders.prune()
    await orders.http.post("/orders", json=body, headers=key)

    assert len(await orders.sent(OrderPlaced)) == number_of_orders


async def test_same_key_at_the_same_moment_places_one_order(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)
    key = {"Idempotency-Key": "one"}

    answers = await asyncio.gather(
        *(orders.http.post("/orders", json=an_order(product_id), headers=key) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await orders.sent(OrderPlaced)) == 1


async def test_missing_wrong_and_foreign_token_answer_like_an_unknown_order(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)
    mine, other = [
        (await orders.http.post("/orders", json=an_order(product_id))).json() for _ in range(2)
    ]
    foreign = {"Authorization": f"Bearer {other['access_token']}"}

    answers = [
        await orders.http.get(f"/orders/{mine['id']}"),
        await orders.http.get(f"/orders/{mine['id']}", headers={"Authorization": "Bearer x"}),
        await orders.http.get(f"/orders/{mine['id']}", headers=foreign),
        await orders.http.get(f"/orders/{new_id()}", headers=foreign),
        await orders.http.get("/orders/nonsense", headers=foreign),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("accepted", [1, 1.0, "true", False, None])
async def test_terms_are_accepted_by_true_and_nothing_else(
    orders: ServiceHarness, admin: Headers, accepted: object
) -> None:
    product_id = await add_product(orders, admin)

    answer = await orders.http.post("/orders", json=an_order(product_id, accept_terms=accepted))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "accept_terms"


async def test_address_no_mail_server_can_take_is_refused(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)

    answers = [
        await orders.http.post("/orders", json=an_order(product_id, email=email))
        for email in ("jörg@example.com", "buyer@bücher.example.com")
    ]

    assert [answer.status_code for answer in answers] == [422, 201]
    page = await orders.http.get(f"/admin/orders/{answers[1].json()['id']}", headers=admin)
    assert page.json()["email"] == "buyer@xn--bcher-kva.example.com"


_NUL_CURSOR = base64.urlsafe_b64encode(
    json.dumps(["a\0", "018f0000-0000-7000-8000-000000000000"]).encode()
)


@pytest.mark.parametrize("query", ["query=%00", f"cursor={_NUL_CURSOR.decode().rstrip('=')}"])
async def test_character_postgres_cannot_hold_is_refused(
    orders: ServiceHarness, query: str
) -> None:
    answer = await orders.http.get(f"/products?{query}")

    assert answer.status_code == 422


async def test_flag_of_an_unpaid_order_can_be_taken_away(
    orders: ServiceHarness, admin: Headers
) -> None:
    product_id = await add_product(orders, admin)
    placed = (await orders.http.post("/orders", json=an_order(product_id))).json()
    await orders.deliver_raw("payment.updated", b"not json", key=placed["id"].encode())

    action = {"action": "retry", "reason": "looked at"}
    path = f"/admin/orders/{placed['id']}/actions"
    answer = await orders.http.post(path, json=action, headers=admin)

    assert (answer.status_code, answer.json()["status"]) == (200, "placed")
