"""Money that fulfils nothing: noted once a payment, told with its amount, again when it grows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated
from foundation.clock import new_id
from payments.adapters.tables import noted_surpluses, refundables
from payments.handlers.jobs import REPORT_REFUNDABLE
from payments.testing import FakeGateway, an_ipn, notify
from persistence.database import Database
from persistence.migrations import migrate
from persistence.tables import jobs
from pydantic import SecretStr
from servicekit.jobs import schedule
from servicekit.testing import ServiceHarness


async def states(payments: ServiceHarness) -> list[PaymentState]:
    return [message.state for message in await payments.sent(PaymentUpdated)]


async def owed_amounts(payments: ServiceHarness) -> list[Decimal]:
    """How much orders was told to owe back, in the order it was told."""
    told = await payments.sent(PaymentUpdated)
    return [message.refundable.amount for message in told if message.refundable]


async def rows(payments: ServiceHarness, table: sa.Table) -> list[Any]:
    async with payments.database.transaction() as transaction:
        return list((await transaction.execute(sa.select(table))).all())


@pytest.mark.parametrize("status", ["finished", "partially_paid"])
async def test_child_deposit_is_refundable_and_told_again_only_when_it_grows(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, status: str
) -> None:
    child = {"payment_id": 5745459999, "parent_payment_id": 5745459419}
    gateway.put(order.order_id)
    gateway.put(order.order_id, status, **child)

    await notify(payments, an_ipn(order.order_id, "confirming", **child))
    await notify(payments, an_ipn(order.order_id, status, **child))
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()
    await notify(payments, an_ipn(order.order_id, "finished", actually_paid=50, **child))
    await payments.run_jobs()

    assert await owed_amounts(payments) == [Decimal("19.36121163"), Decimal(50)]
    [confirmed] = await payments.sent(PaymentConfirmed)
    assert confirmed.payment_id == "5745459419"
    [owed] = await rows(payments, refundables)
    assert (owed.payment_id, owed.amount, owed.currency) == ("5745459999", 50, "xrp")


async def test_surplus_of_the_paying_payment_is_owed_back_and_grows(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    for paid in (21, 25):
        gateway.put(order.order_id, actually_paid=paid)
        await notify(payments, an_ipn(order.order_id, "finished", actually_paid=paid))
        await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await owed_amounts(payments) == [Decimal("1.63878837"), Decimal("5.63878837")]
    [owed] = await rows(payments, refundables)
    assert (owed.payment_id, owed.amount) == ("5745459419", Decimal("5.63878837"))


@pytest.mark.parametrize(
    ("paid", "noted", "owed"),
    [
        ([19.37], ["0.00878837"], []),
        ([19.37, 20], ["0.63878837"], []),
        ([19.37, 20, 21], [], ["1.63878837"]),
        ([21, 21.01], [], ["1.63878837", "1.64878837"]),
    ],
    ids=["dust", "more dust", "dust that grows", "what is owed stays owed"],
)
async def test_surplus_below_the_least_amount_is_noted_and_not_owed(
    payments: ServiceHarness,
    gateway: FakeGateway,
    order: OrderPlaced,
    paid: list[float],
    noted: list[str],
    owed: list[str],
) -> None:
    for amount in paid:
        gateway.put(order.order_id, actually_paid=amount)
        body = an_ipn(order.order_id, "finished", actually_paid=amount)
        await notify(payments, body, body)
        await payments.run_jobs()

    assert [row.amount for row in await rows(payments, noted_surpluses)] == [
        Decimal(amount) for amount in noted
    ]
    assert await owed_amounts(payments) == [Decimal(amount) for amount in owed]
    assert len(await rows(payments, refundables)) == len(owed[:1])


async def test_dust_on_a_further_payment_is_owed_whole(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id))
    await payments.run_jobs()

    await notify(payments, an_ipn(order.order_id, payment_id=2, actually_paid=0.0001))
    await notify(payments, an_ipn(order.order_id, "partially_paid", payment_id=3, actually_paid=1))
    await payments.run_jobs()

    assert sorted(await owed_amounts(payments)) == [Decimal("0.0001"), Decimal(1)]
    assert await rows(payments, noted_surpluses) == []


async def test_noted_surplus_is_shown_to_admins_with_its_worth(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, admin: dict[str, str]
) -> None:
    gateway.put(order.order_id, actually_paid=20)
    await notify(payments, an_ipn(order.order_id, actually_paid=20))
    await payments.run_jobs()

    shown = (await payments.http.get("/admin/payments", headers=admin)).json()["items"]

    [row] = [entry for entry in shown if entry["kind"] == "payment"]
    assert (row["noted_surplus"], row["noted_worth"]) == ("0.63878837", "0.82483005")
    assert (row["noted_worth_currency"], row["refundable"]) == ("USD", None)


async def test_overpaid_payment_that_is_given_back_is_told_and_owes_no_more(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id, actually_paid=21)
    await notify(payments, an_ipn(order.order_id, "finished", actually_paid=21))
    await payments.run_jobs()

    await notify(payments, an_ipn(order.order_id, "refunded", actually_paid=21))
    await payments.run_jobs()

    assert (await states(payments))[-1] is PaymentState.REFUNDED
    assert await owed_amounts(payments) == [Decimal("1.63878837")]


async def test_further_payment_that_the_gateway_gives_back_is_told(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    child = {"payment_id": 5745459999, "parent_payment_id": 5745459419}
    gateway.put(order.order_id)
    await notify(payments, an_ipn(order.order_id), an_ipn(order.order_id, **child))
    await payments.run_jobs()

    await notify(payments, an_ipn(order.order_id, "refunded", **child))
    await payments.run_jobs()

    told = (await payments.sent(PaymentUpdated))[-1]
    assert (told.state, told.payment_id) == (PaymentState.REFUNDED, "5745459999")


async def test_what_was_owed_before_orders_kept_refunds_is_told(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    gateway.put(order.order_id, actually_paid=21)
    await notify(payments, an_ipn(order.order_id, "finished", actually_paid=21))
    await payments.run_jobs()
    async with payments.database.transaction() as transaction:
        now = payments.service.clock.now()
        await schedule(transaction, REPORT_REFUNDABLE, "5745459419", now)
        await schedule(transaction, REPORT_REFUNDABLE, "404", now)

    await payments.run_jobs()

    assert await owed_amounts(payments) == [Decimal("1.63878837")] * 2


async def test_migration_owes_back_what_was_paid_too_much_and_has_it_told(
    new_database: Callable[..., str],
) -> None:
    url = SecretStr(new_database())
    await migrate("payments", url, "0004")
    database = Database.connect(url, pool_size=1)
    async with database.transaction() as transaction:
        for statement in OVERPAID.split(";"):
            await transaction.execute(sa.text(statement), {"order": new_id(), "id": new_id()})

    await migrate("payments", url)

    async with database.transaction() as transaction:
        [owed] = (await transaction.execute(sa.select(refundables))).all()
        waiting = (await transaction.execute(sa.select(jobs.c.kind, jobs.c.subject))).all()
    await database.dispose()
    assert (owed.payment_id, owed.amount, owed.currency) == ("7", Decimal("0.5"), "btc")
    assert [tuple(job) for job in waiting] == [(REPORT_REFUNDABLE, "7")]


OVERPAID = """
WITH i AS (INSERT INTO invoices (order_id, price_amount, price_currency, description, placed_at,
expires_at, state) VALUES (:order, 25, 'USD', 'Game', now(), now(), 'settled') RETURNING order_id)
INSERT INTO payments (payment_id, id, order_id, status, rank, pay_amount, pay_currency,
actually_paid, first_seen_at, updated_at)
SELECT '7', :id, order_id, 'finished', 7, 1, 'btc', 1.5, now(), now() FROM i;
INSERT INTO confirmations SELECT order_id, '7', now() FROM payments
"""
