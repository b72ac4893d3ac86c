"""A healthy shop has no violation, and each kind of planted one is found by its number."""

import tomllib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bitloot_verify import rows
from bitloot_verify.check import check, judge
from bitloot_verify.invariants import INVARIANTS, Finding
from bitloot_verify.reading import Reading
from bitloot_verify.testing import HealthyShop
from foundation.clock import new_id

pytestmark = pytest.mark.component

Plant = Callable[[HealthyShop], Awaitable[None]]


def sql(service: str, statement: str) -> Plant:
    """Plant by one statement; the ids of the shop can be named in it."""

    async def plant(shop: HealthyShop) -> None:
        values: dict[str, Any] = {
            "custom_order": shop.custom_order,
            "custom_line": shop.custom_line,
            "kinguin_order": shop.kinguin_order,
            "kinguin_line": shop.kinguin_line,
            "product": shop.product,
            "stock_key": shop.stock_key,
            "purchase": shop.purchase,
            "new": new_id(),
        }
        await shop.run(
            service, statement, **{n: v for n, v in values.items() if f":{n}" in statement}
        )

    return plant


async def a_second_purchase(shop: HealthyShop) -> None:
    await shop.buy_again(new_id(), attempt=2)


async def an_order_at_the_supplier_that_nobody_placed(shop: HealthyShop) -> None:
    shop.supplier_orders.append({"order_id": "S9", "external_id": "other-1", "status": "completed"})


async def a_key_in_stock_that_the_supplier_has_again(shop: HealthyShop) -> None:
    await shop.run(
        "fulfillment-kinguin",
        "WITH bought AS (UPDATE purchase_keys SET fingerprint = 'fingerprint-custom')"
        " UPDATE purchases SET state = 'abandoned'",
    )
    shop.supplier_orders[0]["status"] = "refunded"


async def money_the_gateway_never_saw(shop: HealthyShop) -> None:
    shop.gateway_payments.pop()


async def an_object_lost(shop: HealthyShop) -> None:
    shop.objects.pop()


async def an_object_of_nobody(shop: HealthyShop) -> None:
    shop.objects.add("keys/stray")


PLANTED: list[tuple[int, str, Plant]] = [
    *(
        (entry["number"], entry["name"], sql(entry["service"], entry["sql"]))
        for entry in tomllib.loads((Path(__file__).parent / "planted.toml").read_text())["planted"]
    ),
    (3, "bought twice", a_second_purchase),
    (3, "an order of nobody at the supplier", an_order_at_the_supplier_that_nobody_placed),
    (11, "a key in stock that the supplier has again", a_key_in_stock_that_the_supplier_has_again),
    (4, "money the gateway never saw", money_the_gateway_never_saw),
    (9, "an object lost", an_object_lost),
    (9, "an object of nobody", an_object_of_nobody),
]


async def test_a_healthy_shop_has_no_violation(shop: HealthyShop) -> None:
    assert await shop.violations() == {}


@pytest.mark.parametrize(
    ("number", "plant"),
    [pytest.param(number, plant, id=f"{number}: {name}") for number, name, plant in PLANTED],
)
async def test_a_planted_violation_is_found(shop: HealthyShop, number: int, plant: Plant) -> None:
    await plant(shop)

    assert number in await shop.violations()


def test_every_invariant_has_a_planted_violation() -> None:
    assert {number for number, _, _ in PLANTED} == set(INVARIANTS)


async def test_money_that_came_back_for_a_delivered_key_is_no_violation(shop: HealthyShop) -> None:
    shop.supplier_orders[0]["status"] = "refunded"

    assert await shop.violations() == {}


async def test_an_order_before_the_window_is_left_out_with_all_that_came_of_it(
    shop: HealthyShop,
) -> None:
    after_both = max(shop.custom_order, shop.kinguin_order).int >> 80
    since = datetime.fromtimestamp((after_both + 1) / 1000, UTC)
    await shop.run("orders", "UPDATE orders SET placed_at = :at", at=since - timedelta(seconds=1))

    shop.supplier_orders.clear()  # the simulator's ledger knows no window
    found = await shop.read(since)

    assert {number: said for number, said in judge(found).items() if said} == {}
    assert (found.all(rows.Order), found.all(rows.Delivery)) == ([], [])
    assert found.objects


async def test_what_only_one_reading_shows_does_not_count(shop: HealthyShop) -> None:
    lasting = await shop.read()
    await shop.run("payments", "UPDATE ipns SET effect = NULL")
    readings = iter([await shop.read(), lasting])
    pauses: list[float] = []

    async def read() -> Reading:
        return next(readings)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    report = await check(read, 60, sleep)

    assert (report.violations, pauses) == (0, [60])


async def test_what_two_readings_show_counts(shop: HealthyShop) -> None:
    await shop.run("payments", "DELETE FROM ipns WHERE effect IS NULL")
    await shop.run("delivery", "DELETE FROM reveal_log")

    report = await check(shop.read, 0)

    assert report.violations == 2
    assert {f.says for f in report.findings[14]} == {"1 reveals, 0 on record"}
    assert all(isinstance(f, Finding) for f in report.findings[14])
    assert report.at <= datetime.now(UTC)


async def test_a_noted_surplus_is_no_violation(shop: HealthyShop) -> None:
    overpaid = "UPDATE payments SET pay_amount = 0.009 WHERE order_id = :o"
    noted = (
        "INSERT INTO noted_surpluses SELECT payment_id, order_id, 0.001, 'btc', 0.5, 'USD', now()"
        " FROM payments WHERE order_id = :o"
    )
    for statement in (overpaid, noted):
        await shop.run("payments", statement, o=shop.custom_order)

    assert await shop.violations() == {}


async def test_a_rollout_that_was_counted_up_to_now_is_on_record(shop: HealthyShop) -> None:
    await shop.run("orders", "UPDATE rollout SET version = 1764000000003")
    changes = [("{}", "{}"), ('{"version": 1}', '{"version": 1764000000003}')]
    for before, after in changes:
        await shop.run(
            "orders",
            "INSERT INTO audit_log (id, at, actor, action, subject, before, after) VALUES"
            " (:id, now(), 'ann', 'rollout.changed', 'rollout', CAST(:before AS jsonb),"
            " CAST(:after AS jsonb))",
            id=new_id(),
            before=before,
            after=after,
        )

    assert await shop.violations() == {}
