"""A database went back to a backup: what is told from then on is newer than what was lost."""

from typing import Any

import pytest
import sqlalchemy as sa
from contracts import DeliveryState, ProductUpdated, RolloutChanged
from contracts.testing import a_delivery_updated
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters.tables import products, rollout
from orders.testing import a_paid_order, keep, stored
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

Headers = dict[str, str]


async def restore(orders: ServiceHarness, table: sa.Table) -> None:
    """Versions as they were before anything happened."""
    async with orders.database.transaction() as transaction:
        await transaction.execute(sa.update(table).values(version=0))


async def switch(orders: ServiceHarness, admin: Headers, percent: int) -> None:
    body = {"kinguin_enabled": True, "rollout_percent": percent, "tester_emails": []}
    (await orders.http.put("/admin/rollout", json=body, headers=admin)).raise_for_status()


async def test_the_switch_is_heard(
    orders: ServiceHarness, admin: Headers, clock: FixedClock
) -> None:
    for percent in (100, 50, 10):
        await switch(orders, admin, percent)
    await restore(orders, rollout)
    clock.advance(60)

    await switch(orders, admin, 50)

    versions = [message.version for message in await orders.sent(RolloutChanged)]
    assert versions == sorted(set(versions))


async def test_a_changed_product_is_heard(
    orders: ServiceHarness, admin: Headers, clock: FixedClock
) -> None:
    body = {
        "title": "Moon Farmer",
        "retail_price": {"amount": "25.00", "currency": "USD"},
        "source_type": "kinguin",
        "kinguin_product_id": "p1",
    }
    added = (await orders.http.post("/admin/products", json=body, headers=admin)).json()

    async def change(**fields: Any) -> None:
        url = f"/admin/products/{added['id']}"
        (await orders.http.patch(url, json=fields, headers=admin)).raise_for_status()

    for number in range(3):
        await change(kinguin_product_id=f"p{number + 2}")
    await restore(orders, products)
    clock.advance(60)
    await change(kinguin_product_id="p9")

    versions = [message.version for message in await orders.sent(ProductUpdated)]
    assert versions == sorted(set(versions))


async def test_the_delivery_that_took_the_place_of_a_lost_one_is_shown(
    orders: ServiceHarness,
) -> None:
    order = a_paid_order()
    line_id = order.lines[0].id
    await keep(orders, order)
    about: Any = {"order_id": order.id, "line_id": line_id}
    lost_id, id_anew = new_id(), new_id()
    lost = a_delivery_updated(**about, delivery_id=lost_id, state=DeliveryState.MAILED, version=5)
    anew = a_delivery_updated(**about, delivery_id=id_anew, version=1)
    late = a_delivery_updated(**about, delivery_id=lost_id, version=6)

    await orders.deliver(lost, anew, late)

    delivery = (await stored(orders, order)).lines[0].delivery
    assert delivery
    assert (delivery.id, delivery.version) == (id_anew, 1)
