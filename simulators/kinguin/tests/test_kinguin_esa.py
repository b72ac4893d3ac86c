from typing import Any

import pytest
from httpx import AsyncClient
from kinguin_simulator.testing import (
    ESA,
    keys_of,
    ledger_rows,
    open_simulator,
    place,
    placed_id,
    set_faults,
    until_status,
)


@pytest.mark.parametrize("path", [f"{ESA}/v1/balance", f"{ESA}/v1/products", "/v1/orders/x"])
async def test_wrong_key_gets_kinguins_401_body(client: AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"x-api-key": "wrong"})

    assert response.status_code == 401
    assert response.json() == {
        "kind": "Authorization",
        "status": 401,
        "detail": "Invalid authentication data.",
        "type": "Unauthorized",
    }


async def test_older_header_name_is_accepted(client: AsyncClient) -> None:
    headers = {"x-api-key": "", "api-ecommerce-auth": client.headers["x-api-key"]}

    assert (await client.get(f"{ESA}/v1/balance", headers=headers)).status_code == 200


async def test_documented_ids_are_stable_and_both_addresses_agree(client: AsyncClient) -> None:
    by_number = (await client.get(f"{ESA}/v1/products/1001")).json()
    by_id = (await client.get(f"{ESA}/v2/products/5c9b5c9b5c9b5c9b5c9b0001")).json()

    assert by_number == by_id
    assert by_id["kinguinId"] == 1001
    assert by_id["cheapestOfferId"] == ["5f7e5f7e5f7e5f7e5f7e0001"]
    assert by_id["offers"][0]["offerId"] == "5f7e5f7e5f7e5f7e5f7e0001"
    assert by_id["price"] == by_id["offers"][0]["price"] == 3.72
    assert len(by_id["productId"]) == 24


@pytest.mark.parametrize("path", ["v1/products/1029", "v1/products/x", "v2/products/none", "v9"])
async def test_unknown_and_sold_out_products_answer_404(client: AsyncClient, path: str) -> None:
    response = await client.get(f"{ESA}/{path}")

    assert response.status_code == 404
    assert response.json().keys() >= {
        "kind", "status", "title", "detail", "path", "method", "trace", "timestamp",
    }  # fmt: skip


async def test_search_finds_by_part_of_a_name_and_counts_all(client: AsyncClient) -> None:
    response = await client.get(f"{ESA}/v1/products?name=LANTERN")

    assert response.json()["item_count"] == 1
    assert response.json()["results"][0]["originalName"] == "Nine Lanterns"


@pytest.mark.parametrize("query", ["kinguinId=1001,x", "kinguinId=1001,", "kinguinId="])
async def test_numbers_that_are_none_are_refused(client: AsyncClient, query: str) -> None:
    response = await client.get(f"{ESA}/v1/products?{query}")

    assert (response.status_code, response.json()["kind"]) == (400, "ConstraintViolation")


@pytest.mark.parametrize(("count", "status"), [(100, 200), (101, 400)])
async def test_list_of_ids_has_a_hundred_at_most(
    client: AsyncClient, count: int, status: int
) -> None:
    ids = ",".join(f"{number:024x}" for number in range(count))

    answer = await client.get(f"{ESA}/v1/products", params={"productId": ids, "limit": 100})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("query", "kinguin_ids"),
    [
        ("kinguinId=1003,1001", [1001, 1003]),
        ("kinguinId=1003,1001&sortBy=kinguinId&sortType=desc", [1003, 1001]),
        ("productId=5c9b5c9b5c9b5c9b5c9b0010", [1010]),
        ("isPreorder=yes", [1033]),
        ("tags=prepaid", [1027]),
        ("platform=GOG COM&genre=Action", [1008]),
        ("updatedSince=2026-01-01 00:33:00", [1033]),
        ("kinguinId=1029&withText=yes", []),
        ("limit=2&page=17", [1033]),
    ],
)
async def test_search_filters_sort_and_page(
    client: AsyncClient, query: str, kinguin_ids: list[int]
) -> None:
    response = await client.get(f"{ESA}/v1/products?{query}")

    assert [product["kinguinId"] for product in response.json()["results"]] == kinguin_ids


@pytest.mark.parametrize("query", ["limit=101", "page=0", "name=ab", "sortBy=price"])
async def test_bad_search_is_a_constraint_violation(client: AsyncClient, query: str) -> None:
    response = await client.get(f"{ESA}/v1/products?{query}")

    assert response.status_code == 400
    assert response.json()["kind"] == "ConstraintViolation"
    assert response.json()["propertyPath"] == query.split("=", maxsplit=1)[0]


async def test_lists_and_balance_have_their_shapes(client: AsyncClient) -> None:
    regions = (await client.get(f"{ESA}/v1/regions")).json()
    platforms = (await client.get(f"{ESA}/v1/platforms")).json()
    genres = (await client.get(f"{ESA}/v1/genres")).json()

    assert regions[0] == {"id": 1, "name": "Europe"}
    assert "Steam" in platforms
    assert "RPG" in genres
    assert (await client.get(f"{ESA}/v1/balance")).json() == {"balance": 1_000_000.0}


async def test_ten_thousand_products_are_searched() -> None:
    async with open_simulator(products=10_000) as client:
        response = await client.get(f"{ESA}/v1/products?name=crimson oath&limit=100")
        last = await client.get(f"{ESA}/v1/products/11033")

    assert response.json()["item_count"] == 39
    assert len(last.json()["productId"]) == 24


async def test_placed_order_is_processing_and_has_the_documented_fields(
    client: AsyncClient,
) -> None:
    response = await place(client, quantity=2, price=5.0, external_id="line-1", keyType="text")

    order = response.json()
    assert response.status_code == 201
    assert (order["status"], order["orderExternalId"]) == ("processing", "line-1")
    assert (order["totalPrice"], order["requestTotalPrice"]) == (7.44, 10.0)
    assert (order["paymentPrice"], order["totalQty"]) == (7.44, 2)
    assert order["products"][0]["keyType"] == "text"
    assert "keys" not in order["products"][0]


async def test_version_one_orders_by_number(client: AsyncClient) -> None:
    body = {"products": [{"kinguinId": 1002, "qty": 1, "price": 50}]}

    response = await client.post(f"{ESA}/v1/order", json=body)

    assert response.json()["products"][0]["productId"] == "5c9b5c9b5c9b5c9b5c9b0002"


async def test_keys_come_with_completion_and_order_shows_only_their_states(
    client: AsyncClient,
) -> None:
    order_id = await placed_id(client, quantity=3)
    await until_status(client, "completed")

    keys = await keys_of(client, order_id)
    order = (await client.get(f"{ESA}/v1/order/{order_id}")).json()

    assert len({key["serial"] for key in keys}) == 3
    assert {key["type"] for key in keys} == {"text/plain"}
    assert order["status"] == "completed"
    assert order["products"][0]["keys"] == [
        {"id": key["id"], "status": "DELIVERED"} for key in keys
    ]


async def test_keys_are_paged(client: AsyncClient) -> None:
    order_id = await placed_id(client, quantity=5)
    await until_status(client, "completed")

    pages = [await keys_of(client, order_id, page=page, limit=2) for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert len({key["id"] for page in pages for key in page}) == 5


async def test_orders_are_found_by_external_id(client: AsyncClient) -> None:
    await place(client, external_id="a")
    wanted = await placed_id(client, external_id="b")

    found = (await client.get(f"{ESA}/v1/order?orderExternalId=b")).json()
    none = (await client.get(f"{ESA}/v1/order?orderExternalId=c")).json()

    assert [order["orderId"] for order in found["results"]] == [wanted]
    assert found["item_count"] == 1
    assert none == {"results": [], "item_count": 0}


async def test_orders_are_found_by_status_product_and_time(client: AsyncClient) -> None:
    await set_faults(client, stuck=True)
    order_id = await placed_id(client, product=4)

    fitting = "status=processing&kinguinId=1004&isPreorder=no&createdAtFrom=2020-01-01"
    found = (await client.get(f"{ESA}/v1/order?{fitting}")).json()
    other = (await client.get(f"{ESA}/v1/order?{fitting}&createdAtTo=2020-01-02")).json()

    assert [order["orderId"] for order in found["results"]] == [order_id]
    assert other["item_count"] == 0


async def test_used_external_id_is_refused_with_its_property_path(client: AsyncClient) -> None:
    await place(client, external_id="line-1")

    response = await place(client, external_id="line-1")

    error = response.json()
    assert response.status_code == 422
    assert (error["kind"], error["propertyPath"]) == ("ConstraintViolation", "orderExternalId")
    assert "already used" in error["detail"]
    assert len(await ledger_rows(client)) == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"qty": 0}, "products[0].qty"),
        ({"qty": 10}, "products[0].qty"),
        ({"qty": "1"}, "products[0].qty"),
        ({"price": 0}, "products[0].price"),
        ({"price": None}, "products[0].price"),
        ({"keyType": "image"}, "products[0].keyType"),
    ],
)
async def test_bad_position_is_a_constraint_violation(
    client: AsyncClient, change: dict[str, object], path: str
) -> None:
    position = {"productId": "5c9b5c9b5c9b5c9b5c9b0001", "qty": 1, "price": 50} | change

    response = await client.post(f"{ESA}/v2/order", json={"products": [position]})

    assert response.status_code == 400
    assert response.json()["kind"] == "ConstraintViolation"
    assert response.json()["propertyPath"] == path


async def test_more_than_ten_positions_are_refused(client: AsyncClient) -> None:
    position = {"productId": "5c9b5c9b5c9b5c9b5c9b0001", "qty": 1, "price": 50}

    response = await client.post(f"{ESA}/v2/order", json={"products": [position] * 11})

    assert response.json()["propertyPath"] == "products"


@pytest.mark.parametrize(
    "order",
    [
        {"price": 3.71},
        {"product": 29},
        {"product": 30, "quantity": 3},
        {"product": 99},
        {"offerId": "5f7e5f7e5f7e5f7e5f7e0002"},
    ],
    ids=["too cheap", "sold out", "too few left", "unknown", "foreign offer"],
)
async def test_what_no_offer_serves_is_unavailable(
    client: AsyncClient, order: dict[str, Any]
) -> None:
    response = await place(client, **order)

    assert response.status_code == 400
    assert response.json()["kind"] == "ProductUnavailable"
    assert await ledger_rows(client) == []


async def test_stock_goes_down_with_each_order(client: AsyncClient) -> None:
    first = await place(client, product=30, quantity=2)
    dearer = await place(client, product=30, quantity=2)
    third = await place(client, product=30, quantity=1)

    assert first.json()["products"][0]["offerId"] == "5f7e5f7e5f7e5f7e5f7e0030"
    assert dearer.json()["products"][0]["offerId"] == "5f7f5f7f5f7f5f7f5f7f0030"
    assert third.json()["kind"] == "ProductUnavailable"


async def test_wholesale_needs_its_offer_and_has_tier_prices(client: AsyncClient) -> None:
    without = await place(client, product=32, quantity=50)
    wholesale = await place(client, product=32, quantity=50, offerId="5f7e5f7e5f7e5f7e5f7e0032")

    offer = (await client.get(f"{ESA}/v1/products/1032")).json()["offers"][0]
    assert without.json()["kind"] == "ConstraintViolation"
    assert wholesale.json()["products"][0]["price"] == offer["wholesale"]["tiers"][1]["price"]
    assert wholesale.json()["products"][0]["price"] < offer["price"]


async def test_preorder_comes_alone_and_gets_no_keys_yet(client: AsyncClient) -> None:
    positions = [
        {"productId": f"5c9b5c9b5c9b5c9b5c9b00{number}", "qty": 1, "price": 50}
        for number in ("33", "01")
    ]
    mixed = await client.post(f"{ESA}/v2/order", json={"products": positions})
    alone = await placed_id(client, product=33)

    order = (await client.get(f"{ESA}/v1/order/{alone}")).json()
    assert mixed.json()["kind"] == "Preorder"
    assert (order["status"], order["isPreorder"]) == ("processing", True)
    assert await keys_of(client, alone) == []


async def test_order_beyond_the_balance_is_refused() -> None:
    async with open_simulator(balance=5) as client:
        bought = await place(client)
        refused = await place(client)
        balance = (await client.get(f"{ESA}/v1/balance")).json()["balance"]

    assert bought.status_code == 201
    assert refused.json()["kind"] == "InsufficientBalance"
    assert balance == pytest.approx(1.28)


async def test_unknown_order_is_not_found(client: AsyncClient) -> None:
    for path in ("v1/order/NONE", "v2/order/NONE/keys"):
        response = await client.get(f"{ESA}/{path}")

        assert response.status_code == 404
        assert response.json()["kind"] == "OrderNotFound"
        assert response.json()["orderId"] == "NONE"


async def test_keys_can_be_returned_once_and_money_comes_back(client: AsyncClient) -> None:
    order_id = await placed_id(client, quantity=2)
    await until_status(client, "completed")

    first = await client.post(f"{ESA}/v2/order/{order_id}/keys/return")
    second = await client.post(f"{ESA}/v2/order/{order_id}/keys/return")
    await until_status(client, "refunded")

    assert [key["status"] for key in first.json()] == ["DELIVERED", "DELIVERED"]
    assert second.json()["kind"] == "NoKeysToReturn"
    assert await keys_of(client, order_id) == []
    assert (await client.get(f"{ESA}/v1/balance")).json()["balance"] == 1_000_000.0
    order = (await client.get(f"{ESA}/v1/order/{order_id}")).json()
    assert {key["status"] for key in order["products"][0]["keys"]} == {"RETURNED"}
