"""Part payments: an admin accepts the largest, payments is told, and no money is owed twice."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest
import sqlalchemy as sa
from contracts import OrderCancelled, PaymentAccepted, PaymentState, PaymentUpdated, Refundable
from contracts.testing import a_coin_amount, a_payment_confirmed, a_payment_updated
from foundation.clock import new_id
from orders.adapters import order_repository, refund_repository
from orders.domain.order import Order
from orders.domain.states import LineStatus, OrderStatus
from orders.handlers.report_accepted import REPORT_ACCEPTED
from orders.testing import a_line, a_product, an_order, keep, stored
from persistence.database import Database
from persistence.migrations import migrate
from persistence.tables import jobs
from pydantic import SecretStr
from servicekit.jobs import schedule
from servicekit.testing import ServiceHarness

Headers = dict[str, str]


@pytest.fixture
async def order(orders: ServiceHarness) -> Order:
    """One line for 25 dollars that costs the shop one."""
    product = a_product(cost_usd=Decimal(1))
    order = an_order(a_line(product_id=product.id))
    await keep(orders, product, order)
    return order


def a_part(order: Order, payment_id: str, paid: str) -> PaymentUpdated:
    """So much of 10 coins."""
    return a_payment_updated(
        order_id=order.id,
        state=PaymentState.PARTIALLY_PAID,
        payment_id=payment_id,
        asked=a_coin_amount("10", "xrp"),
        paid=a_coin_amount(paid, "xrp"),
    )


def owed_payment(order: Order, payment_id: str, amount: str) -> PaymentUpdated:
    return a_payment_updated(
        order_id=order.id,
        state=PaymentState.MORE_MONEY,
        payment_id=payment_id,
        reason="the order was cancelled",
        refundable=Refundable(amount=Decimal(amount), currency="xrp"),
    )


async def act(orders: ServiceHarness, order: Order, action: str, admin: Headers) -> httpx.Response:
    body = {"action": action, "reason": "the buyer wrote", "tx_hash": "ab" * 32}
    return await orders.http.post(f"/admin/orders/{order.id}/actions", json=body, headers=admin)


async def owe(orders: ServiceHarness, order: Order) -> None:
    """No key comes for its only line."""
    async with orders.database.transaction() as transaction:
        now = await order_repository.get(transaction, order.id)
        now.move_line(now.lines[0], LineStatus.REFUND_DUE, now.placed_at, "no key came")
        await order_repository.save(transaction, now)


async def refund_amounts(orders: ServiceHarness, order: Order) -> list[Decimal]:
    async with orders.database.transaction() as transaction:
        return [r.amount for r in await refund_repository.of_order(transaction, order.id)]


@pytest.mark.parametrize("parts", [("8", "1"), ("1", "8")])
async def test_largest_part_is_accepted_and_payments_is_told_which(
    orders: ServiceHarness, order: Order, admin: Headers, parts: tuple[str, str]
) -> None:
    await orders.deliver(*(a_part(order, f"7{paid}", paid) for paid in parts))

    answer = await act(orders, order, "accept_underpaid", admin)

    assert answer.status_code == 200, answer.text
    assert [m.payment_id for m in await orders.sent(PaymentAccepted)] == ["78"]
    assert (await stored(orders, order)).status is OrderStatus.FULFILLING


async def test_invoice_that_is_shown_again_does_not_hide_the_part(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    again = a_payment_updated(order_id=order.id, state=PaymentState.INVOICE_READY)
    await orders.deliver(a_part(order, "77", "8"), again)
    await act(orders, order, "accept_underpaid", admin)

    await owe(orders, order)

    assert await refund_amounts(orders, order) == [Decimal("20.00")]


async def test_payment_that_is_owed_back_is_not_accepted(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(a_part(order, "77", "8"), owed_payment(order, "77", "8"))

    answer = await act(orders, order, "accept_underpaid", admin)

    assert (answer.status_code, answer.json()["detail"]) == (409, "payment 77 is owed back already")
    assert await orders.sent(PaymentAccepted) == []


async def test_parts_of_a_cancelled_order_are_refunds_and_flag_nobody(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(a_part(order, "77", "8"), a_part(order, "78", "1"))
    await act(orders, order, "cancel", admin)

    await orders.deliver(owed_payment(order, "77", "8"), owed_payment(order, "78", "1"))

    now = await stored(orders, order)
    assert (now.status, now.attention) == (OrderStatus.CANCELLED, [])
    assert sorted(await refund_amounts(orders, order)) == [1, 8]
    assert [m.paid for m in await orders.sent(OrderCancelled)] == [False]


async def test_cancelled_lines_of_an_accepted_order_say_that_it_is_paid(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(a_part(order, "77", "8"))
    await act(orders, order, "accept_underpaid", admin)

    await act(orders, order, "cancel", admin)

    assert [m.paid for m in await orders.sent(OrderCancelled)] == [True]


@pytest.mark.parametrize(
    ("news", "amount"), [("more of it", "22.50"), ("the rest", "25.00"), ("less", "20.00")]
)
async def test_line_of_an_accepted_order_owes_what_has_come_since(
    orders: ServiceHarness, order: Order, admin: Headers, news: str, amount: str
) -> None:
    await orders.deliver(a_part(order, "77", "8"))
    await act(orders, order, "accept_underpaid", admin)
    await owe(orders, order)

    match news:
        case "more of it":
            await orders.deliver(a_part(order, "77", "9"))
        case "the rest":
            await orders.deliver(a_payment_confirmed(order_id=order.id, payment_id="77"))
        case _:
            await orders.deliver(a_part(order, "77", "7"), a_part(order, "99", "9"))

    assert await refund_amounts(orders, order) == [Decimal(amount)]
    assert (await stored(orders, order)).payment_id == "77"


async def test_rest_that_comes_after_its_refund_was_sent_goes_to_a_person(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(a_part(order, "77", "8"))
    await act(orders, order, "accept_underpaid", admin)
    await owe(orders, order)
    assert (await act(orders, order, "mark_refunded", admin)).status_code == 200

    await orders.deliver(a_payment_confirmed(order_id=order.id, payment_id="77"))

    assert await refund_amounts(orders, order) == [Decimal("20.00")]
    assert "after a refund" in (await stored(orders, order)).attention[0]


async def test_part_that_was_accepted_long_ago_is_told(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(a_part(order, "77", "8"))
    await act(orders, order, "accept_underpaid", admin)
    paid = an_order(payment_state="finished", payment_id="9")
    paid.confirm(paid.placed_at)
    await keep(orders, paid)
    async with orders.database.transaction() as transaction:
        for subject in (order.id, paid.id):
            await schedule(transaction, REPORT_ACCEPTED, subject, orders.service.clock.now())

    await orders.run_jobs()

    assert [m.payment_id for m in await orders.sent(PaymentAccepted)] == ["77", "77"]


async def test_migration_has_accepted_parts_told(new_database: Callable[..., str]) -> None:
    url = SecretStr(new_database())
    await migrate("orders", url, "0007")
    database = Database.connect(url, pool_size=1)
    accepted, confirmed = new_id(), new_id()
    async with database.transaction() as transaction:
        for order_id, state in ((accepted, "partially_paid"), (confirmed, "finished")):
            await transaction.execute(sa.text(PAID), {"id": order_id, "state": state})

    await migrate("orders", url)

    async with database.transaction() as transaction:
        waiting = (await transaction.execute(sa.select(jobs.c.kind, jobs.c.subject))).all()
    await database.dispose()
    assert [tuple(job) for job in waiting] == [(REPORT_ACCEPTED, str(accepted))]


PAID = """
INSERT INTO orders (id, email, currency, total, source_type, status, money, cancelled, late,
attention, payment_state, payment_id, placed_at, expires_at) VALUES (:id, 'b@example.org', 'USD',
9.99, 'custom', 'fulfilled', 'paid', false, false, '{}', :state, '7', now(), now())
"""
