"""The admin's doors: products, import, rollout, orders, audit."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import FulfillmentRequestedKinguin, OrderCancelled, RolloutChanged
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters.tables import products
from orders.bootstrap import build_service
from orders.settings import OrdersSettings
from servicekit.testing import ServiceHarness
from webkit.testing import admin_token
from webkit.tokens import Role, TokenSigner

Headers = dict[str, str]
USD = {"amount": "25.00", "currency": "USD"}
CSV = "title,retail_price,currency,source_type,kinguin_product_id\n"


async def add(orders: ServiceHarness, admin: Headers, **fields: object) -> dict[str, object]:
    body = {"title": "Moon Farmer", "retail_price": USD, **fields}
    answer = await orders.http.post("/admin/products", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    product: dict[str, object] = answer.json()
    return product


async def import_csv(orders: ServiceHarness, admin: Headers, text: str) -> tuple[int, Any]:
    headers = {**admin, "Content-Type": "text/csv"}
    answer = await orders.http.post("/admin/products/import", content=text, headers=headers)
    return answer.status_code, answer.json()


async def test_product_is_changed_field_by_field(orders: ServiceHarness, admin: Headers) -> None:
    product = await add(orders, admin, cost_usd="12.345")

    answer = await orders.http.patch(
        f"/admin/products/{product['id']}",
        json={"source_type": "kinguin", "kinguin_product_id": "5c9b", "cost_usd": None},
        headers=admin,
    )

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["title"] == "Moon Farmer"
    assert changed["source_type"] == "kinguin"
    assert changed["cost_usd"] is None
    assert product["cost_usd"] == "12.345"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "X", "retail_price": {**USD, "amount": 25}}, "retail_price.amount"),
        (
            {"title": "X", "retail_price": {"amount": "-1", "currency": "USD"}},
            "retail_price.amount",
        ),
        ({"title": " ", "retail_price": USD}, "title"),
        ({"title": "X", "retail_price": USD, "colour": "red"}, "colour"),
        ({"title": "X", "retail_price": USD, "source_type": "kinguin"}, "kinguin_product_id"),
        ({"title": "X", "retail_price": USD, "source_type": "steam"}, "source_type"),
    ],
)
async def test_wrong_product_is_refused_with_the_field(
    orders: ServiceHarness, admin: Headers, body: dict[str, object], field: str
) -> None:
    answer = await orders.http.post("/admin/products", json=body, headers=admin)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_public_view_hides_cost_and_supplier(orders: ServiceHarness, admin: Headers) -> None:
    product = await add(
        orders, admin, cost_usd="9", source_type="kinguin", kinguin_product_id="5c9b"
    )
    await orders.http.put(
        "/admin/rollout",
        json={"kinguin_enabled": True, "rollout_percent": 100, "tester_emails": []},
        headers=admin,
    )

    answer = await orders.http.get(f"/products/{product['id']}")

    assert answer.json() == {
        "id": product["id"],
        "title": "Moon Farmer",
        "price": USD,
        "in_stock": True,
        "delivery_estimate": "within_minutes",
    }


async def test_import_twice_changes_nothing_the_second_time(
    orders: ServiceHarness, admin: Headers
) -> None:
    text = CSV + "Moon Farmer,25.00,USD,custom,\nStar Ship,9.99,USD,kinguin,5c9b0001\n"

    first = await import_csv(orders, admin, text)
    second = await import_csv(orders, admin, text)
    third = await import_csv(orders, admin, text.replace("9.99", "8.99"))

    assert first == (200, {"created": 2, "updated": 0, "unchanged": 0, "rejected": []})
    assert second == (200, {"created": 0, "updated": 0, "unchanged": 2, "rejected": []})
    assert third == (200, {"created": 0, "updated": 1, "unchanged": 1, "rejected": []})


async def test_same_file_imported_twice_at_once_adds_each_product_once(
    orders: ServiceHarness, admin: Headers
) -> None:
    rows = [f"Game {number},9.99,USD,custom,\n" for number in range(300)]

    answers = await asyncio.gather(
        import_csv(orders, admin, CSV + "".join(rows)),
        import_csv(orders, admin, CSV + "".join(reversed(rows))),
    )

    assert sorted(report["created"] for _, report in answers) == [0, 300]


async def test_bad_lines_are_named_and_the_others_taken(
    orders: ServiceHarness, admin: Headers
) -> None:
    text = CSV + "Good,1.00,USD,custom,\nBad,free,USD,custom,\nNone,1.00,USD,kinguin,\nShort\n"

    status, report = await import_csv(orders, admin, text)

    assert status == 200
    assert isinstance(report, dict)
    assert report["created"] == 1
    assert [row["line"] for row in report["rejected"]] == [3, 4, 5]
    assert "free" not in str(report["rejected"])


@pytest.mark.parametrize(
    "text", ["", "name,price\nX,1\n", 'title,retail_price\n"never closed,1\n', "\x00\xff"]
)
async def test_file_that_is_no_csv_of_products_is_refused(
    orders: ServiceHarness, admin: Headers, text: str
) -> None:
    status, problem = await import_csv(orders, admin, text)

    assert status == 422
    assert isinstance(problem, dict)
    assert problem["detail"]


async def test_ten_thousand_products_are_imported_by_five_thousand_and_found(
    orders: ServiceHarness, admin: Headers
) -> None:
    reports = [
        await import_csv(
            orders,
            admin,
            CSV + "".join(f"Game {n:05d},{n + 1}.00,USD,custom,\n" for n in range(start, end)),
        )
        for start, end in ((0, 5_000), (5_000, 10_000))
    ]
    found = await orders.http.get("/products", params={"query": "09999 game"})
    page = await orders.http.get("/products", params={"query": "game", "limit": 100})

    created = {"created": 5_000, "updated": 0, "unchanged": 0, "rejected": []}
    assert reports == [(200, created)] * 2
    assert [product["title"] for product in found.json()["items"]] == ["Game 09999"]
    assert len(page.json()["items"]) == 100


async def test_file_of_too_many_rows_is_refused(orders: ServiceHarness, admin: Headers) -> None:
    rows = "".join(f"Game {number},1.00,USD,custom,\n" for number in range(5_001))

    status, problem = await import_csv(orders, admin, CSV + rows)

    assert status == 413
    assert isinstance(problem, dict)
    assert "split the file" in problem["detail"]


async def test_pages_show_every_product_once(orders: ServiceHarness, admin: Headers) -> None:
    rows = "".join(f"Game {number % 7},1.00,USD,kinguin,k{number}\n" for number in range(60))
    await import_csv(orders, admin, CSV + rows)

    seen, cursor = [], None
    while True:
        params = {"limit": "25", **({"cursor": cursor} if cursor else {})}
        page = (await orders.http.get("/products", params=params)).json()
        seen += [product["id"] for product in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "%00"])
async def test_forged_cursor_is_refused(orders: ServiceHarness, cursor: str) -> None:
    answer = await orders.http.get("/products", params={"cursor": cursor})

    assert answer.status_code == 422


async def test_rollout_decides_the_route_of_new_lines_and_is_announced(
    orders: ServiceHarness, admin: Headers
) -> None:
    product = await add(orders, admin, source_type="kinguin", kinguin_product_id="5c9b")
    order = {
        "email": "buyer@example.com",
        "accept_terms": True,
        "items": [{"product_id": product["id"], "quantity": 1}],
    }

    before = (await orders.http.post("/orders", json=order)).json()
    await orders.http.put(
        "/admin/rollout",
        json={"kinguin_enabled": True, "rollout_percent": 100, "tester_emails": []},
        headers=admin,
    )
    after = (await orders.http.post("/orders", json=order)).json()

    assert before["items"][0]["source_type"] == "custom"
    assert after["items"][0]["source_type"] == "kinguin"
    [announced] = await orders.sent(RolloutChanged)
    assert (announced.kinguin_enabled, announced.rollout_percent) == (True, 100)


async def test_environment_switches_kinguin_off_whatever_is_stored(
    settings: OrdersSettings, clock: FixedClock, admin: Headers
) -> None:
    off = settings.model_copy(update={"kinguin_enabled": False})
    async with ServiceHarness.start(build_service(off, clock)) as orders:
        product = await add(orders, admin, source_type="kinguin", kinguin_product_id="5c9b")
        stored = await orders.http.put(
            "/admin/rollout",
            json={"kinguin_enabled": True, "rollout_percent": 100, "tester_emails": []},
            headers=admin,
        )
        shown = await orders.http.get(f"/products/{product['id']}")

        assert stored.json()["effective_kinguin_enabled"] is False
        assert shown.json()["delivery_estimate"] == "manual"
        [announced] = await orders.sent(RolloutChanged)
        assert announced.kinguin_enabled is False
        assert await orders.sent(FulfillmentRequestedKinguin) == []


async def test_every_change_leaves_an_audit_row(orders: ServiceHarness, admin: Headers) -> None:
    product = await add(orders, admin)
    await orders.http.patch(
        f"/admin/products/{product['id']}", json={"status": "inactive"}, headers=admin
    )

    rows = (await orders.http.get("/admin/audit", headers=admin)).json()["items"]

    assert [row["action"] for row in rows] == ["product.changed", "product.added"]
    assert rows[0]["actor"] == "test-admin"
    assert (rows[0]["before"]["status"], rows[0]["after"]["status"]) == ("active", "inactive")


async def test_cancelling_tells_everybody_once(orders: ServiceHarness, admin: Headers) -> None:
    product = await add(orders, admin)
    placed = await orders.http.post(
        "/orders",
        json={
            "email": "buyer@example.com",
            "accept_terms": True,
            "items": [{"product_id": product["id"], "quantity": 1}],
        },
    )
    url = f"/admin/orders/{placed.json()['id']}/actions"

    first = await orders.http.post(url, json={"action": "cancel", "reason": "x"}, headers=admin)
    second = await orders.http.post(url, json={"action": "cancel", "reason": "x"}, headers=admin)

    assert (first.status_code, second.status_code) == (200, 409)
    assert len(await orders.sent(OrderCancelled)) == 1


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.STOCK, 201), (Role.FINANCE, 403)]
)
async def test_role_decides_who_may_change_products(
    orders: ServiceHarness, settings: OrdersSettings, clock: FixedClock, role: Role, status: int
) -> None:
    token = admin_token(TokenSigner(settings.token_signing_keys), role, now=clock.now())

    answer = await orders.http.post(
        "/admin/products",
        json={"title": "X", "retail_price": USD},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    "url", ["/admin/products", "/admin/orders", "/admin/rollout", "/admin/audit"]
)
async def test_nobody_without_a_token_gets_in(orders: ServiceHarness, url: str) -> None:
    assert (await orders.http.get(url)).status_code == 401


async def test_order_is_found_by_id_address_and_line(
    orders: ServiceHarness, admin: Headers
) -> None:
    product = await add(orders, admin)
    placed = await orders.http.post(
        "/orders",
        json={
            "email": "buyer@example.com",
            "accept_terms": True,
            "items": [{"product_id": product["id"], "quantity": 1}],
        },
    )
    order = placed.json()

    for query in (order["id"], "buyer@", order["items"][0]["id"]):
        found = await orders.http.get("/admin/orders", params={"query": query}, headers=admin)
        assert [item["id"] for item in found.json()["items"]] == [order["id"]], query
    missing = await orders.http.get("/admin/orders", params={"query": str(new_id())}, headers=admin)
    assert missing.json()["items"] == []


@pytest.mark.parametrize("field", ["title", "reason"])
async def test_character_postgres_cannot_hold_is_refused_in_a_body(
    orders: ServiceHarness, admin: Headers, field: str
) -> None:
    product = await add(orders, admin)
    path, body = f"/admin/products/{product['id']}", {"title": "Moon\0Farmer"}
    if field == "reason":
        path, body = f"/admin/orders/{new_id()}/actions", {"action": "cancel", "reason": "a\0b"}
    send = orders.http.patch if field == "title" else orders.http.post

    answer = await send(path, json=body, headers=admin)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_two_changes_of_a_product_at_the_same_moment_both_hold(
    orders: ServiceHarness, admin: Headers
) -> None:
    product = await add(orders, admin)
    path = f"/admin/products/{product['id']}"

    async with orders.database.transaction() as transaction:
        statement = sa.update(products).where(products.c.id == UUID(str(product["id"])))
        await transaction.execute(statement.values(status="inactive"))
        other = asyncio.create_task(
            orders.http.patch(path, json={"backorder": False}, headers=admin)
        )
        await asyncio.sleep(0.3)
    answer = await other

    assert (answer.json()["status"], answer.json()["backorder"]) == ("inactive", False)
