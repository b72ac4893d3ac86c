"""The catalogue tells which offers of Kinguin it uses, and sells by what it hears of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    FulfillmentRequestedKinguin,
    OfferUpdated,
    PaymentState,
    ProductUpdated,
    SourceType,
)
from contracts.testing import (
    a_coin_amount,
    a_payment_confirmed,
    a_payment_updated,
    a_price,
    an_offer_updated,
)
from foundation.testing import FixedClock
from orders.adapters.tables import kinguin_offers, products
from orders.bootstrap import build_service
from orders.domain.states import LineStatus
from orders.testing import a_line, a_product, an_order, keep, some_settings, stored
from persistence.migrations import migrate
from pydantic import SecretStr
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

Headers = dict[str, str]
IDS = {"kinguin_product_id": "p1", "kinguin_offer_id": "o1"}
USD = {"amount": "25.00", "currency": "USD"}
ON = {"kinguin_enabled": True, "rollout_percent": 100, "tester_emails": []}


@pytest.fixture
def hear(orders: ServiceHarness, clock: FixedClock) -> Callable[..., Any]:
    """News of the offer o1 of p1, seen now."""

    async def hear(cost: str | None = "19.80", quantity: int = 10, **fields: Any) -> OfferUpdated:
        values: dict[str, Any] = {**IDS, "seen_at": clock.now(), **fields}
        if quantity == 0:
            values |= {"price": None}
        message = an_offer_updated(
            cost_usd=None if cost is None else Decimal(cost), quantity=quantity, **values
        )
        await orders.deliver(message)
        return message

    return hear


@pytest.fixture
async def product_id(orders: ServiceHarness, admin: Headers) -> str:
    """A product for 25 dollars that goes to Kinguin."""
    await orders.http.put("/admin/rollout", json=ON, headers=admin)
    body = {"title": "Moon Farmer", "retail_price": USD, "source_type": "kinguin", **IDS}
    answer = await orders.http.post("/admin/products", json=body, headers=admin)
    return str(answer.raise_for_status().json()["id"])


async def change(orders: ServiceHarness, admin: Headers, product_id: str, **fields: Any) -> Any:
    answer = await orders.http.patch(f"/admin/products/{product_id}", json=fields, headers=admin)
    return answer.raise_for_status().json()


async def in_stock(orders: ServiceHarness, product_id: str) -> bool:
    return bool((await orders.http.get(f"/products/{product_id}")).json()["in_stock"])


async def ordering(orders: ServiceHarness, product_id: str, quantity: int = 1) -> int:
    items = [{"product_id": product_id, "quantity": quantity}]
    body = {"email": "buyer@example.com", "accept_terms": True, "items": items}
    return (await orders.http.post("/orders", json=body)).status_code


def rise(told: Sequence[ProductUpdated]) -> bool:
    return all(before.version < after.version for before, after in pairwise(told))


async def test_added_and_changed_products_of_kinguin_are_told_with_rising_versions(
    orders: ServiceHarness, admin: Headers, product_id: str
) -> None:
    await change(orders, admin, product_id, status="inactive")
    await change(orders, admin, product_id, source_type="custom", kinguin_product_id=None)
    await change(orders, admin, product_id, title="Sun Farmer")

    told = await orders.sent(ProductUpdated)

    assert {str(message.product_id) for message in told} == {product_id}
    assert [(m.kinguin_product_id, m.on_sale) for m in told] == [
        ("p1", True),
        ("p1", False),
        (None, False),
    ]
    assert rise(told)


async def test_own_stock_is_not_told(orders: ServiceHarness, admin: Headers) -> None:
    body = {"title": "Moon Farmer", "retail_price": USD}
    added = await orders.http.post("/admin/products", json=body, headers=admin)
    await change(orders, admin, added.json()["id"], title="Sun Farmer")

    assert await orders.sent(ProductUpdated) == []


async def test_imported_products_of_kinguin_are_told_once_a_change(
    orders: ServiceHarness, admin: Headers
) -> None:
    text = "title,retail_price,source_type,kinguin_product_id\nA,9.99,custom,\nB,9.99,kinguin,p2\n"
    headers = {**admin, "Content-Type": "text/csv"}

    for content in (text, text, text.replace("9.99", "8.99")):
        await orders.http.post("/admin/products/import", content=content, headers=headers)

    told = await orders.sent(ProductUpdated)
    assert [(m.kinguin_product_id, m.on_sale) for m in told] == [("p2", True), ("p2", True)]
    assert rise(told)


async def test_admin_sees_the_offer_and_the_public_only_its_effect(
    orders: ServiceHarness,
    admin: Headers,
    clock: FixedClock,
    product_id: str,
    hear: Callable[..., Any],
) -> None:
    path = f"/products/{product_id}"
    before = (await orders.http.get(f"/admin{path}", headers=admin)).json()
    await change(orders, admin, product_id, cost_usd="12")

    await hear()

    after = (await orders.http.get(f"/admin{path}", headers=admin)).json()
    assert before["offer"] is None
    assert after["cost_usd"] == "12.00"
    assert after["offer"] == {
        "price": {"amount": "18.00", "currency": "EUR"},
        "cost_usd": "19.80",
        "quantity": 10,
        "seen_at": clock.now().isoformat().replace("+00:00", "Z"),
    }
    public = (await orders.http.get(path)).json()
    assert set(public) == {"id", "title", "price", "in_stock", "delivery_estimate"}


async def test_what_was_seen_earlier_changes_nothing(
    orders: ServiceHarness, clock: FixedClock, product_id: str, hear: Callable[..., Any]
) -> None:
    await hear(quantity=0)

    await hear(seen_at=clock.now() - timedelta(seconds=1))
    await hear(kinguin_offer_id="o2")
    await hear(kinguin_offer_id=None)

    assert not await in_stock(orders, product_id)


async def test_sold_out_or_dear_is_refused_before_the_money_and_sold_again_after(
    orders: ServiceHarness, clock: FixedClock, product_id: str, hear: Callable[..., Any]
) -> None:
    statuses = []
    for cost, quantity in (("19.80", 2), (None, 0), ("25.01", 10), ("25.00", 10)):
        clock.advance(1)
        await hear(cost, quantity)
        seen = await in_stock(orders, product_id)
        statuses.append((seen, [await ordering(orders, product_id, n) for n in (1, 3)]))

    assert statuses == [
        (True, [201, 409]),
        (False, [409, 409]),
        (False, [409, 409]),
        (True, [201, 201]),
    ]


async def test_old_news_refuses_nothing(
    orders: ServiceHarness, clock: FixedClock, product_id: str, hear: Callable[..., Any]
) -> None:
    await hear(quantity=0)

    clock.advance(hours=3, seconds=1)

    assert await in_stock(orders, product_id)
    assert await ordering(orders, product_id) == 201


async def test_product_that_names_another_offer_is_not_judged_by_the_former(
    orders: ServiceHarness, admin: Headers, product_id: str, hear: Callable[..., Any]
) -> None:
    await hear(quantity=0)

    changed = await change(orders, admin, product_id, kinguin_offer_id="o2")

    assert changed["offer"] is None
    assert await in_stock(orders, product_id)


@pytest.mark.parametrize(
    ("cost", "quantity", "asked"),
    [("24.00", 1, True), ("26.00", 1, False), (None, 1, False), ("1.00", 0, False)],
)
async def test_late_money_buys_at_kinguin_by_the_cost_of_now(
    orders: ServiceHarness, hear: Callable[..., Any], cost: str, quantity: int, *, asked: bool
) -> None:
    product = a_product(source_type=SourceType.KINGUIN, cost_usd=Decimal(30), **IDS)
    line = a_line(product_id=product.id, source_type=SourceType.KINGUIN, **IDS)
    order = an_order(line)
    await keep(orders, product, order)
    await hear(cost, quantity)
    await orders.deliver(a_payment_updated(order_id=order.id, state=PaymentState.EXPIRED))

    await orders.deliver(a_payment_confirmed(order_id=order.id))

    assert len(await orders.sent(FulfillmentRequestedKinguin)) == asked
    status = (await stored(orders, order)).lines[0].status
    assert status is (LineStatus.REQUESTED if asked else LineStatus.REFUND_DUE)


@pytest.mark.parametrize(
    ("cost", "status", "text"),
    [("12.50", 200, ""), ("12.51", 409, "the margin floor"), (None, 409, "is not known")],
)
async def test_too_little_money_is_accepted_by_the_cost_of_now(
    orders: ServiceHarness,
    admin: Headers,
    hear: Callable[..., Any],
    cost: str,
    status: int,
    text: str,
) -> None:
    product = a_product(source_type=SourceType.KINGUIN, **IDS)
    order = an_order(a_line(product_id=product.id, source_type=SourceType.KINGUIN, **IDS))
    await keep(orders, product, order)
    await hear(cost)
    underpaid = a_payment_updated(
        order_id=order.id,
        state=PaymentState.PARTIALLY_PAID,
        payment_id="4945313371",
        asked=a_coin_amount("0.2"),
        paid=a_coin_amount("0.1"),
    )
    await orders.deliver(underpaid)

    body = {"action": "accept_underpaid", "reason": "the buyer wrote"}
    url = f"/admin/orders/{order.id}/actions"

    answer = await orders.http.post(url, json=body, headers=admin)

    assert answer.status_code == status
    assert text in answer.text


async def test_offers_that_no_product_names_any_more_are_pruned(
    orders: ServiceHarness, clock: FixedClock, hear: Callable[..., Any]
) -> None:
    await hear()
    clock.advance(days=31)
    await hear(kinguin_offer_id="o2", price=a_price("1.00", "EUR"))

    await orders.prune()

    async with orders.database.transaction() as transaction:
        left = list(await transaction.scalars(sa.select(kinguin_offers.c.kinguin_offer_id)))
    assert left == ["o2"]


async def test_migration_has_the_whole_catalogue_of_kinguin_told(
    new_database: Callable[..., str],
) -> None:
    url = new_database()
    await migrate("orders", SecretStr(url), "0007")
    later = FixedClock(datetime.now(UTC) + timedelta(hours=1))  # jobs are due by the database's
    service = build_service(some_settings(url), later)
    ids = {"own": UUID(int=1), "bought": UUID(int=2)}
    row = {"title": "A", "retail_price": 1, "currency": "USD", "status": "active"}
    old = sa.table("products", *(sa.column(name) for name in ("id", *row, "kinguin_product_id")))
    async with service.database.transaction() as transaction:
        await transaction.execute(sa.insert(old).values(id=ids["own"], **row))
        values = {**row, "id": ids["bought"], "kinguin_product_id": "p1"}
        await transaction.execute(sa.insert(old).values(**values))

    await migrate("orders", SecretStr(url))

    async with ServiceHarness.start(service) as harness:
        await harness.run_jobs()
        told = await harness.sent(ProductUpdated)
        async with harness.database.transaction() as transaction:
            versions = list(await transaction.scalars(sa.select(products.c.version)))
    assert [(m.product_id, m.kinguin_product_id, m.version) for m in told] == [
        (ids["bought"], "p1", 0)
    ]
    assert versions == [0, 0]
