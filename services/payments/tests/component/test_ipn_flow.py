"""Notifications in any order, any number of times: the money is confirmed once."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.tables import confirmations, ipns, refundables
from payments.adapters.tables import payments as payments_table
from payments.errors import GatewayUnavailable
from payments.testing import FakeGateway, an_ipn, an_order, notify
from servicekit.testing import ServiceHarness

STATUSES = ("waiting", "confirming", "confirmed", "sending", "finished")
Ids = list[UUID]


async def states(payments: ServiceHarness) -> list[PaymentState]:
    return [message.state for message in await payments.sent(PaymentUpdated)]


async def owed_amounts(payments: ServiceHarness) -> list[Decimal]:
    """How much orders was told to owe back, in the order it was told."""
    told = await payments.sent(PaymentUpdated)
    return [message.refundable.amount for message in told if message.refundable]


async def rows(payments: ServiceHarness, table: sa.Table) -> list[Any]:
    async with payments.database.transaction() as transaction:
        return list((await transaction.execute(sa.select(table))).all())


async def effects(payments: ServiceHarness) -> list[str | None]:
    return [row.effect for row in sorted(await rows(payments, ipns), key=lambda row: row.id)]


async def test_usual_way_is_reported_and_confirmed(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    for status in STATUSES:
        gateway.put(order.order_id, status)
        await notify(payments, an_ipn(order.order_id, status))
        await payments.run_jobs()

    assert await states(payments) == [
        PaymentState.INVOICE_READY,
        PaymentState.WAITING,
        PaymentState.CONFIRMING,
        PaymentState.CONFIRMED,
        PaymentState.SENDING,
    ]
    [confirmed] = await payments.sent(PaymentConfirmed)
    assert (confirmed.order_id, confirmed.payment_id) == (order.order_id, "5745459419")
    assert (str(confirmed.price.amount), confirmed.paid.currency) == ("25.00", "xrp")
    assert await effects(payments) == ["reported"] * 4 + ["confirming"]


@pytest.mark.timeout(300)  # 720 notifications, each with its jobs
async def test_every_order_of_the_notifications_confirms_once(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    orders = {an_order(): way for way in permutations(STATUSES)}
    await payments.deliver(*orders)
    for number, order in enumerate(orders):
        gateway.put(order.order_id, payment_id=1000 + number)
    # One step of every order at a time, so that each way is taken in its order.
    for step in (*range(len(STATUSES)), 0):
        for number, (order, way) in enumerate(orders.items()):
            await notify(payments, an_ipn(order.order_id, way[step], payment_id=1000 + number))
        await payments.run_jobs(rounds=100)

    confirmed = await payments.sent(PaymentConfirmed)
    assert sorted(m.order_id for m in confirmed) == sorted(o.order_id for o in orders)
    assert {row.effect for row in await rows(payments, ipns)} == {
        "reported",
        "confirming",
        "older",
        "duplicate",
    }
    assert await rows(payments, refundables) == []


async def test_reported_ranks_only_rise_whatever_comes_late(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    for status in ("sending", "waiting", "confirming", "sending"):
        await notify(payments, an_ipn(order.order_id, status))
        await payments.run_jobs()

    assert await states(payments) == [PaymentState.INVOICE_READY, PaymentState.SENDING]
    assert await effects(payments) == ["reported", "older", "older", "duplicate"]


async def test_notification_before_its_order_waits_for_it(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    order = an_order()
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()
    assert await effects(payments) == [None]

    await payments.deliver(order)
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await effects(payments) == ["confirming"]


async def test_order_that_never_comes_is_given_up_after_a_day(
    payments: ServiceHarness, clock: FixedClock
) -> None:
    await notify(payments, an_ipn(new_id()), an_ipn(None, order_id="not one of ours"))
    await payments.run_jobs()
    assert await effects(payments) == [None, "unknown_order"]

    clock.advance(hours=23)
    await payments.run_jobs()
    assert await effects(payments) == [None, "unknown_order"]
    clock.advance(hours=2)
    await payments.run_jobs()

    assert await effects(payments) == ["unknown_order", "unknown_order"]


async def test_notification_sent_again_after_its_order_came_late_has_its_effect(
    payments: ServiceHarness, gateway: FakeGateway, clock: FixedClock
) -> None:
    order = an_order(expires_at=clock.now() + timedelta(days=3))
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    clock.advance(hours=25)
    await payments.run_jobs()
    await payments.deliver(order)
    await payments.run_jobs()

    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    assert await effects(payments) == ["unknown_order", "confirming"]
    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_partly_paid_then_finished_is_underpaid_then_confirmed(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await notify(payments, an_ipn(order.order_id, "partially_paid", actually_paid=9.5))
    await payments.run_jobs()
    [_, underpaid] = await payments.sent(PaymentUpdated)
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    assert underpaid.state is PaymentState.PARTIALLY_PAID
    assert underpaid.asked
    assert underpaid.paid
    assert (str(underpaid.asked.amount), str(underpaid.paid.amount)) == ("19.36121163", "9.5")
    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_child_deposit_alone_never_pays_the_order(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id, parent_payment_id=1)

    await notify(payments, an_ipn(order.order_id, parent_payment_id=1))
    await payments.run_jobs()

    assert await payments.sent(PaymentConfirmed) == []
    assert (await states(payments))[-1] is PaymentState.MORE_MONEY


@pytest.mark.parametrize("first", [1, 2])
async def test_second_finished_payment_of_an_order_is_refundable(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, first: int
) -> None:
    for payment_id in (1, 2):
        gateway.put(order.order_id, payment_id=payment_id)

    await notify(payments, an_ipn(order.order_id, payment_id=first))
    await payments.run_jobs()
    await notify(payments, an_ipn(order.order_id, payment_id=3 - first))
    await payments.run_jobs()

    [confirmed] = await payments.sent(PaymentConfirmed)
    assert confirmed.payment_id == str(first)
    [owed] = await rows(payments, refundables)
    assert owed.payment_id == str(3 - first)
    assert (await states(payments)).count(PaymentState.MORE_MONEY) == 1


async def test_two_payments_finished_at_once_confirm_one_and_owe_the_other(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    for payment_id in (1, 2):
        gateway.put(order.order_id, payment_id=payment_id)
        await notify(payments, an_ipn(order.order_id, payment_id=payment_id))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert len(await rows(payments, confirmations)) == 1
    assert len(await rows(payments, refundables)) == 1
    assert (await states(payments)).count(PaymentState.MORE_MONEY) == 1


async def test_partial_payment_beside_the_one_that_pays_is_owed_back(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id, payment_id=2)
    await notify(payments, an_ipn(order.order_id, "partially_paid", payment_id=1, actually_paid=3))
    await notify(payments, an_ipn(order.order_id, payment_id=2))
    await payments.run_jobs()

    [owed] = await rows(payments, refundables)
    assert (owed.payment_id, owed.amount) == ("1", 3)
    assert (await states(payments))[-1] is PaymentState.MORE_MONEY


@pytest.mark.parametrize(
    "lie", [{"price_amount": 1}, {"price_currency": "eur"}, {"order_id": str(new_id())}]
)
async def test_wrong_price_currency_or_order_goes_to_a_person(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, lie: dict[str, Any]
) -> None:
    gateway.put(order.order_id, **lie)

    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    assert await payments.sent(PaymentConfirmed) == []
    assert (await states(payments))[-1] is PaymentState.NEEDS_ATTENTION
    [payment] = await rows(payments, payments_table)
    assert payment.verdict == "mismatched"
    assert len(await rows(payments, refundables)) == 1
    assert await owed_amounts(payments) == [Decimal("19.36121163")]


async def test_finished_with_too_little_is_underpaid_and_says_why(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id, actually_paid=19)
    await notify(payments, an_ipn(order.order_id, actually_paid=19))
    await payments.run_jobs()
    [_, underpaid] = await payments.sent(PaymentUpdated)
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    assert underpaid.state is PaymentState.PARTIALLY_PAID
    assert "19 of 19.36121163 xrp arrived" in (underpaid.reason or "")
    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_gateway_that_denies_is_asked_again_later(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id, "sending")
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()
    [payment] = await rows(payments, payments_table)
    assert (payment.verdict, await payments.sent(PaymentConfirmed)) == ("not_finished", [])

    gateway.put(order.order_id)
    clock.advance(minutes=2)
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_payment_the_gateway_does_not_know_is_never_confirmed(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    [payment] = await rows(payments, payments_table)
    assert payment.verdict == "not_finished"
    assert await payments.sent(PaymentConfirmed) == []


async def test_confirmation_waits_until_the_gateway_answers(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id)
    gateway.trouble = GatewayUnavailable("away")
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()
    assert await payments.sent(PaymentConfirmed) == []

    gateway.trouble = None
    clock.advance(minutes=10)
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_dropped_coin_does_not_fail_an_order_whose_money_is_on_its_way(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    for status, payment_id in (("confirming", 1), ("waiting", 2), ("expired", 2)):
        await notify(payments, an_ipn(order.order_id, status, payment_id=payment_id))
        await payments.run_jobs()

    assert (await states(payments))[1:] == [PaymentState.CONFIRMING]
    assert await effects(payments) == ["reported", "noted", "noted"]


async def test_refund_after_confirmation_is_reported(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    await notify(payments, an_ipn(order.order_id, "refunded"))
    await payments.run_jobs()

    assert (await states(payments))[-1] is PaymentState.REFUNDED


async def test_status_nobody_knows_is_kept_and_changes_nothing(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await notify(payments, an_ipn(order.order_id, "on_hold"))
    await payments.run_jobs()

    assert await effects(payments) == ["unknown_status"]
    assert await states(payments) == [PaymentState.INVOICE_READY]


async def test_payment_of_one_order_never_counts_for_another(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    other = an_order()
    await payments.deliver(other)
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    await notify(payments, an_ipn(other.order_id))
    await payments.run_jobs()

    assert await effects(payments) == ["confirming", "duplicate"]
    await notify(payments, an_ipn(other.order_id, actually_paid=20))
    await payments.run_jobs()
    assert (await effects(payments))[-1] == "foreign"
    assert [m.order_id for m in await payments.sent(PaymentConfirmed)] == [order.order_id]
