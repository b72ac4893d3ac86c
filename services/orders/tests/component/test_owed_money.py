"""How much is owed back, and for what: lines, further payments, and money that does not fit."""

import json
from collections.abc import Sequence
from decimal import Decimal

import httpx
import pytest
from contracts import CoinAmount, EmailRequested, FulfillmentState, PaymentState, Refundable
from contracts.testing import a_fulfillment_updated, a_payment_confirmed, a_payment_updated
from foundation.clock import new_id
from orders.adapters import refund_repository
from orders.domain.order import Order
from orders.domain.refund import Refund
from orders.domain.states import LineStatus
from orders.testing import DELIVERY_RING, a_line, a_paid_order, an_order, keep, stored
from servicekit.testing import ServiceHarness

Headers = dict[str, str]
TX = "a1b2c3d4e5f60718"


@pytest.fixture
async def order(orders: ServiceHarness) -> Order:
    """A paid order of two lines, the first of which is owed back."""
    order = a_paid_order(a_line(), a_line(title="Star Ship", quantity=2))
    await keep(orders, order)
    await fail(orders, order, 0)
    return order


async def fail(orders: ServiceHarness, order: Order, *positions: int) -> None:
    """Nobody can deliver these lines; said twice, as Kafka may."""
    for position in positions:
        line_id = order.lines[position].id
        message = a_fulfillment_updated(
            order_id=order.id, line_id=line_id, state=FulfillmentState.FAILED
        )
        await orders.deliver(message, message.model_copy(update={"id": new_id()}))


async def mails(orders: ServiceHarness) -> list[tuple[str, str]]:
    """Kind and text of every mail, opened as delivery opens it."""
    await orders.run_jobs()
    return [
        (sent.kind, json.loads(DELIVERY_RING.open(sent.body, *sent.body.info))["text"])
        for sent in await orders.sent(EmailRequested)
    ]


async def send(
    orders: ServiceHarness, refund: Refund, admin: Headers, tx_hash: str = TX
) -> httpx.Response:
    body = {"tx_hash": tx_hash, "reason": "sent from the hot wallet"}
    return await orders.http.post(f"/admin/refunds/{refund.id}/sent", json=body, headers=admin)


async def more_money(
    orders: ServiceHarness, order: Order, amount: str, payment_id: str = "77"
) -> None:
    owed = Refundable(amount=Decimal(amount), currency="xrp")
    message = a_payment_updated(
        order_id=order.id, state=PaymentState.MORE_MONEY, payment_id=payment_id, refundable=owed
    )
    await orders.deliver(message, message.model_copy(update={"id": new_id()}))


async def refunds_of(orders: ServiceHarness, order: Order) -> Sequence[Refund]:
    async with orders.database.transaction() as transaction:
        return await refund_repository.of_order(transaction, order.id)


async def test_further_money_is_one_refund_that_grows(orders: ServiceHarness, order: Order) -> None:
    await more_money(orders, order, "5.5")
    await more_money(orders, order, "7.25")
    await more_money(orders, order, "6")

    [owed] = [refund for refund in await refunds_of(orders, order) if refund.payment_id]

    assert (owed.payment_id, owed.amount, owed.currency) == ("77", Decimal("7.25"), "xrp")
    assert (await stored(orders, order)).attention == []


async def test_money_after_its_refund_was_sent_goes_to_a_person(
    orders: ServiceHarness, admin: Headers
) -> None:
    order = a_paid_order()
    await keep(orders, order)
    await more_money(orders, order, "5.5")
    [refund] = await refunds_of(orders, order)
    await send(orders, refund, admin)

    await more_money(orders, order, "9")

    assert [r.amount for r in await refunds_of(orders, order)] == [Decimal("5.5")]
    assert (await stored(orders, order)).attention != []


async def test_mismatched_payment_is_owed_back_and_flagged(orders: ServiceHarness) -> None:
    order = an_order()
    await keep(orders, order)
    owed = Refundable(amount=Decimal(3), currency=None)

    await orders.deliver(
        a_payment_updated(
            order_id=order.id,
            state=PaymentState.NEEDS_ATTENTION,
            payment_id="9",
            reason="priced in eur",
            refundable=owed,
        )
    )

    [refund] = await refunds_of(orders, order)
    assert (refund.amount, refund.currency) == (Decimal(3), None)
    assert (await stored(orders, order)).attention == ["payment needs_attention: priced in eur"]
    assert "of a coin that we are finding out" in (await mails(orders))[0][1]


async def test_further_money_as_the_previous_release_tells_it_is_owed_back(
    orders: ServiceHarness, order: Order
) -> None:
    paid = CoinAmount(amount=Decimal("0.001"), currency="btc")
    await orders.deliver(
        a_payment_updated(
            order_id=order.id, state=PaymentState.MORE_MONEY, payment_id="8", paid=paid
        )
    )

    assert [r.amount for r in await refunds_of(orders, order) if r.payment_id] == [paid.amount]


async def test_line_of_an_accepted_part_payment_owes_what_was_paid(
    orders: ServiceHarness,
) -> None:
    order = an_order(a_line(), payment_state="partially_paid")
    order.asked = CoinAmount(amount=Decimal("0.003"), currency="btc")
    order.paid = replace_amount(order.asked, "0.002")
    order.confirm(order.placed_at)
    order.move_line(order.lines[0], LineStatus.REQUESTED, order.placed_at)
    await keep(orders, order)

    await fail(orders, order, 0)

    [refund] = await refunds_of(orders, order)
    assert refund.amount == Decimal("16.67")


def replace_amount(coins: CoinAmount, amount: str) -> CoinAmount:
    return coins.model_copy(update={"amount": Decimal(amount)})


async def test_paid_cancelled_order_owes_its_lines(orders: ServiceHarness) -> None:
    order = an_order(a_line(), a_line())
    order.cancel(order.placed_at, "changed their mind")
    await keep(orders, order)

    await orders.deliver(a_payment_confirmed(order_id=order.id))

    assert len(await refunds_of(orders, order)) == 2
