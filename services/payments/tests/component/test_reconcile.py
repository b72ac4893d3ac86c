"""Lost notifications are found, and an order expires only after the gateway was asked."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import OrderCancelled, OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.tables import invoices, refundables
from payments.domain.payment import PaymentStatus
from payments.errors import GatewayUnauthorized, GatewayUnavailable
from payments.testing import FakeGateway, an_ipn, signed
from persistence.tables import jobs
from servicekit.testing import ServiceHarness


async def states(payments: ServiceHarness) -> list[PaymentState]:
    """What was told after the invoice was ready."""
    return [message.state for message in await payments.sent(PaymentUpdated)][1:]


async def later(payments: ServiceHarness, clock: FixedClock, **parts: float) -> None:
    clock.advance(**parts)
    await payments.run_jobs()


async def rows(payments: ServiceHarness, table: sa.Table) -> list[Any]:
    async with payments.database.transaction() as transaction:
        return list((await transaction.execute(sa.select(table))).all())


async def next_question(payments: ServiceHarness) -> datetime | None:
    async with payments.database.transaction() as transaction:
        found: datetime | None = await transaction.scalar(
            sa.select(jobs.c.due_at).where(jobs.c.kind == "reconcile")
        )
        return found


async def test_payment_nobody_told_us_about_is_found_and_confirmed(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id)

    await later(payments, clock, minutes=1)

    [confirmed] = await payments.sent(PaymentConfirmed)
    assert confirmed.order_id == order.order_id


async def test_known_payment_is_asked_about_by_id_even_where_the_list_fails(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    body = an_ipn(order.order_id, "confirming")
    await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await payments.run_jobs()
    gateway.put(order.order_id)
    gateway.list_trouble = GatewayUnauthorized("wrong password")

    await later(payments, clock, minutes=5)

    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_child_deposit_found_by_asking_is_told_once(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id)
    gateway.put(order.order_id, payment_id=7, parent_payment_id=5745459419)

    for _ in range(5):
        await later(payments, clock, days=1)

    assert (await states(payments)).count(PaymentState.MORE_MONEY) == 1
    assert [row.payment_id for row in await rows(payments, refundables)] == ["7"]
    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_unpaid_order_expires_once_when_its_time_is_over(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.open_payment("4522000001", PaymentStatus.WAITING)
    await later(payments, clock, minutes=59)
    assert PaymentState.EXPIRED not in await states(payments)

    for _ in range(4):
        await later(payments, clock, hours=1)

    assert (await states(payments)).count(PaymentState.EXPIRED) == 1
    assert order.expires_at < clock.now()


@pytest.mark.parametrize("trouble", [GatewayUnavailable("away"), GatewayUnauthorized("no")])
async def test_order_does_not_expire_before_the_gateway_has_answered(
    payments: ServiceHarness,
    gateway: FakeGateway,
    order: OrderPlaced,
    clock: FixedClock,
    trouble: Any,
) -> None:
    gateway.list_trouble = trouble
    await later(payments, clock, hours=2)
    assert await states(payments) == []

    gateway.list_trouble = None
    await later(payments, clock, minutes=6)

    assert await states(payments) == [PaymentState.EXPIRED]
    assert order.expires_at < clock.now()


@pytest.mark.parametrize("status", ["confirming", "confirmed", "sending", "partially_paid"])
async def test_order_with_money_on_its_way_does_not_expire(
    payments: ServiceHarness,
    gateway: FakeGateway,
    order: OrderPlaced,
    clock: FixedClock,
    status: str,
) -> None:
    gateway.put(order.order_id, status, actually_paid=5)

    await later(payments, clock, hours=2)

    assert PaymentState.EXPIRED not in await states(payments)


async def test_money_after_expiry_is_confirmed(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    await later(payments, clock, hours=1)
    assert await states(payments) == [PaymentState.EXPIRED]

    gateway.put(order.order_id)
    await later(payments, clock, days=2)

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert [row.state for row in await rows(payments, invoices)] == ["settled"]


async def test_money_for_a_cancelled_order_is_still_found(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    await payments.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=clock.now(),
            order_id=order.order_id,
            line_ids=(order.lines[0].line_id,),
            reason="asked for",
        )
    )
    gateway.put(order.order_id)

    await later(payments, clock, days=1)

    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_questions_end_and_what_is_undecided_goes_to_a_person(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id, "confirming")
    await later(payments, clock, minutes=5)
    assert await next_question(payments) == clock.now() + timedelta(minutes=2.5)

    await later(payments, clock, days=31)

    assert (await states(payments))[-1] is PaymentState.NEEDS_ATTENTION
    assert await next_question(payments) is None
    assert order.expires_at < clock.now()


async def test_expired_payment_and_expired_order_are_told_as_one(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id, "expired", actually_paid=0)

    await later(payments, clock, hours=1)

    assert await states(payments) == [PaymentState.EXPIRED]
    assert [row.state for row in await rows(payments, invoices)] == ["expired"]
