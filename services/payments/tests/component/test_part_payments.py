"""Several part payments of one order: one may pay it, by an admin's word; the rest is owed back."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated
from contracts.testing import a_payment_accepted, an_order_cancelled
from foundation.clock import new_id
from payments.adapters.tables import acceptances, refundables
from payments.adapters.tables import invoices as invoices_table
from payments.testing import FakeGateway, an_ipn, signed
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness

FIRST, SECOND = 1, 2


async def notify(
    payments: ServiceHarness, order: OrderPlaced, status: str, payment_id: int, paid: float
) -> None:
    body = an_ipn(order.order_id, status, payment_id=payment_id, actually_paid=paid)
    answer = await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    assert answer.status_code == 200, answer.text
    await payments.run_jobs()


async def part(payments: ServiceHarness, order: OrderPlaced, payment_id: int, paid: float) -> None:
    await notify(payments, order, "partially_paid", payment_id, paid)


async def finish(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, payment_id: int, paid: float
) -> None:
    gateway.put(order.order_id, payment_id=payment_id, actually_paid=paid)
    await notify(payments, order, "finished", payment_id, paid)


async def accept(payments: ServiceHarness, order: OrderPlaced, payment_id: int) -> None:
    message = a_payment_accepted(order_id=order.order_id, payment_id=str(payment_id))
    await payments.deliver(message, message.model_copy(update={"id": new_id()}))


async def cancel(payments: ServiceHarness, order: OrderPlaced, *, paid: bool = False) -> None:
    message = an_order_cancelled(order_id=order.order_id, reason="asked for", paid=paid)
    await payments.deliver(message, message.model_copy(update={"id": new_id()}))


async def told(payments: ServiceHarness) -> list[PaymentUpdated]:
    return list(await payments.sent(PaymentUpdated))


async def rows(payments: ServiceHarness, table: sa.Table) -> list[Any]:
    async with payments.database.transaction() as transaction:
        return list((await transaction.execute(sa.select(table))).all())


async def owed(payments: ServiceHarness) -> dict[str, Decimal]:
    """What is owed of which payment, here and as orders was told: both say the same."""
    noted = {row.payment_id: row.amount for row in await rows(payments, refundables)}
    said: dict[str, Decimal] = {}
    for message in await told(payments):
        if message.refundable and message.payment_id:
            said[message.payment_id] = message.refundable.amount
    assert said == noted
    return {payment_id: amount.normalize() for payment_id, amount in noted.items()}


async def test_accepted_part_pays_and_the_other_is_owed_back_once(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await part(payments, order, SECOND, 4)

    await accept(payments, order, FIRST)

    assert await owed(payments) == {"2": 4}
    [row] = await rows(payments, refundables)
    assert row.reason == "payment 1 was accepted"
    assert [m.state for m in await told(payments)].count(PaymentState.MORE_MONEY) == 1
    assert [invoice.state for invoice in await rows(payments, invoices_table)] == ["settled"]


async def test_money_after_the_acceptance_is_owed_back_and_grows(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await accept(payments, order, FIRST)

    await part(payments, order, SECOND, 4)
    await finish(payments, gateway, order, SECOND, 19.36121163)

    assert await owed(payments) == {"2": Decimal("19.36121163")}
    assert await payments.sent(PaymentConfirmed) == []


async def test_accepted_part_that_grows_is_the_price_and_only_the_rest_is_owed_back(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await accept(payments, order, FIRST)

    await part(payments, order, FIRST, 10)
    assert (await told(payments))[-1].paid is not None
    await finish(payments, gateway, order, FIRST, 25)

    assert await owed(payments) == {"1": Decimal("5.63878837")}
    [confirmed] = await payments.sent(PaymentConfirmed)
    assert (confirmed.payment_id, confirmed.paid.amount) == ("1", Decimal(25))


async def test_acceptance_after_another_payment_was_confirmed_changes_nothing(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await finish(payments, gateway, order, SECOND, 19.36121163)

    await accept(payments, order, FIRST)

    assert await owed(payments) == {"1": 9}
    assert await rows(payments, acceptances) == []
    assert len(await payments.sent(PaymentConfirmed)) == 1


@pytest.mark.parametrize("order_of_parts", list(permutations([(1, 12.0), (2, 9.0), (3, 1.0)])))
async def test_orders_hears_of_the_largest_part_whichever_comes_last(
    payments: ServiceHarness, order: OrderPlaced, order_of_parts: tuple[tuple[int, float], ...]
) -> None:
    for payment_id, paid in order_of_parts:
        await part(payments, order, payment_id, paid)

    last = (await told(payments))[-1]
    assert (last.state, last.payment_id) == (PaymentState.PARTIALLY_PAID, "1")


async def test_two_parts_that_together_reach_the_total_pay_nothing_by_themselves(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 10)
    await part(payments, order, SECOND, 9.36121163)

    assert await payments.sent(PaymentConfirmed) == []
    assert (await told(payments))[-1].state is PaymentState.PARTIALLY_PAID
    await cancel(payments, order)
    assert await owed(payments) == {"1": 10, "2": Decimal("9.36121163")}


@pytest.mark.parametrize("steps", sorted(set(permutations("abc"))))
async def test_parts_of_a_cancelled_order_are_owed_back_in_any_order(
    payments: ServiceHarness, order: OrderPlaced, steps: tuple[str, ...]
) -> None:
    for step in steps:
        match step:
            case "a":
                await part(payments, order, FIRST, 9)
            case "b":
                await part(payments, order, SECOND, 4)
            case _:
                await cancel(payments, order)

    assert await owed(payments) == {"1": 9, "2": 4}
    assert {row.reason for row in await rows(payments, refundables)} == {"the order was cancelled"}


async def test_part_of_a_cancelled_order_that_grows_to_the_price_is_owed_whole_and_pays_nothing(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await cancel(payments, order)

    await finish(payments, gateway, order, FIRST, 19.36121163)

    assert await owed(payments) == {"1": Decimal("19.36121163")}
    assert await payments.sent(PaymentConfirmed) == []


async def test_finished_with_too_little_of_a_cancelled_order_is_owed_back(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await finish(payments, gateway, order, FIRST, 9)
    await cancel(payments, order)

    await finish(payments, gateway, order, SECOND, 5)

    assert await owed(payments) == {"1": 9, "2": 5}


async def test_full_payment_of_a_cancelled_order_is_confirmed_beside_its_parts(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await cancel(payments, order)

    await finish(payments, gateway, order, SECOND, 19.36121163)

    assert await owed(payments) == {"1": 9}
    assert [m.payment_id for m in await payments.sent(PaymentConfirmed)] == ["2"]


async def test_cancelled_lines_of_an_accepted_order_owe_no_payment_back(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)

    await cancel(payments, order, paid=True)  # comes before the acceptance: topics have no order
    await accept(payments, order, FIRST)

    assert await owed(payments) == {}


async def test_part_payment_is_the_news_again_when_a_further_payment_fails(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await notify(payments, order, "confirming", SECOND, 0)

    await notify(payments, order, "failed", SECOND, 0)

    last = (await told(payments))[-1]
    assert (last.state, last.payment_id) == (PaymentState.PARTIALLY_PAID, "1")


async def test_accepted_part_in_another_coin_goes_to_a_person(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    await accept(payments, order, FIRST)

    body = an_ipn(order.order_id, "finished", payment_id=FIRST, pay_currency="ltc")
    await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await payments.run_jobs()

    assert (await told(payments))[-1].state is PaymentState.NEEDS_ATTENTION
    assert await owed(payments) == {}


async def test_payment_that_is_owed_back_and_accepted_at_once_goes_to_a_person(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await part(payments, order, FIRST, 9)
    body = an_ipn(order.order_id, "partially_paid", payment_id=FIRST, pay_currency="ltc")
    await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await payments.run_jobs()

    await accept(payments, order, FIRST)

    last = (await told(payments))[-1]
    assert (last.state, "as well" in (last.reason or "")) == (PaymentState.NEEDS_ATTENTION, True)


async def test_acceptance_of_an_unknown_payment_is_kept_for_a_person(
    payments: ServiceHarness, order: OrderPlaced
) -> None:
    await payments.deliver(a_payment_accepted(order_id=order.order_id, payment_id="404"))

    letters = await rows(payments, dead_letters)
    assert [letter.topic for letter in letters] == ["payment.accepted"]
    assert await rows(payments, acceptances) == []
