"""Placing an order over HTTP, and looking at it."""

from contracts import OrderPlaced
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
