"""Notifications that are taken up together: each has its own effect, in the order they came."""

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, PaymentConfirmed
from foundation.clock import new_id
from payments.adapters.tables import ipns
from payments.testing import FakeGateway, an_ipn, an_order, signed
from servicekit.testing import ServiceHarness

STATUSES = ("waiting", "confirming", "confirmed", "sending", "finished")


@pytest.fixture
async def order(payments: ServiceHarness) -> OrderPlaced:
    message = an_order()
    await payments.deliver(message)
    await payments.run_jobs()
    return message


async def notify(payments: ServiceHarness, *bodies: bytes) -> None:
    for body in bodies:
        answer = await payments.http.post(
            "/webhooks/nowpayments", content=body, headers=signed(body)
        )
        assert answer.status_code == 200, answer.text


async def effects(payments: ServiceHarness) -> list[str | None]:
    async with payments.database.transaction() as transaction:
        return list(await transaction.scalars(sa.select(ipns.c.effect).order_by(ipns.c.id)))


@pytest.mark.parametrize(
    ("way", "found"),
    [
        (STATUSES, ["reported"] * 4 + ["confirming"]),
        (STATUSES[::-1], ["confirming"] + ["older"] * 4),
        (("finished", "waiting", "finished"), ["confirming", "older", "duplicate"]),
    ],
)
async def test_all_that_came_of_a_payment_is_applied_in_one_go_as_it_came(
    payments: ServiceHarness,
    gateway: FakeGateway,
    order: OrderPlaced,
    way: tuple[str, ...],
    found: list[str],
) -> None:
    gateway.put(order.order_id)
    await notify(payments, *(an_ipn(order.order_id, status) for status in way))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await effects(payments) == found


async def test_notifications_of_two_orders_of_one_payment_are_kept_apart(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    unknown = new_id()
    gateway.put(order.order_id)
    await notify(payments, an_ipn(unknown), an_ipn(order.order_id), an_ipn(unknown, "refunded"))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await effects(payments) == [None, "confirming", None]
