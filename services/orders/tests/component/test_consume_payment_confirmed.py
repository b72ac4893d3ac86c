"""Confirmed money: lines are requested once, whatever came before or comes again."""

import json
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    CoinAmount,
    FulfillmentRequestedCustom,
    Money,
    PaymentConfirmed,
    PaymentState,
    PaymentUpdated,
)
from foundation.clock import new_id
from foundation.sealing import open_address
from foundation.testing import FixedClock
from orders.testing import DELIVERY_RING
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness

Headers = dict[str, str]
PRICE = Money(amount="25.00", currency="USD")


def confirmed(order_id: str, clock: FixedClock) -> PaymentConfirmed:
    return PaymentConfirmed(
        id=new_id(),
        occurred_at=clock.now(),
        order_id=UUID(order_id),
        payment_id="5745459419",
        price=PRICE,
        paid=CoinAmount(amount="19.36", currency="xrp"),
    )


def updated(order_id: str, clock: FixedClock, state: PaymentState) -> PaymentUpdated:
    return PaymentUpdated(
        id=new_id(),
        occurred_at=clock.now(),
        order_id=UUID(order_id),
        state=state,
        price=PRICE,
    )


@pytest.fixture
async def order_id(orders: ServiceHarness, admin: Headers) -> str:
    product = await orders.http.post(
        "/admin/products",
        json={"title": "Moon Farmer", "retail_price": {"amount": "25.00", "currency": "USD"}},
        headers=admin,
    )
    placed = await orders.http.post(
        "/orders",
        json={
            "email": "buyer@example.com",
            "accept_terms": True,
            "items": [{"product_id": product.json()["id"], "quantity": 2}],
        },
    )
    return str(placed.json()["id"])


async def status_of(orders: ServiceHarness, order_id: str, admin: Headers) -> str:
    answer = await orders.http.get(f"/orders/{order_id}", headers=admin)
    return str(answer.json()["status"])


async def test_confirmed_money_asks_for_the_keys(
    orders: ServiceHarness, order_id: str, clock: FixedClock, admin: Headers
) -> None:
    await orders.deliver(confirmed(order_id, clock))

    [request] = await orders.sent(FulfillmentRequestedCustom)
    assert (request.quantity, request.title) == (2, "Moon Farmer")
    assert open_address(DELIVERY_RING, request.buyer, request.order_id) == "buyer@example.com"
    assert await status_of(orders, order_id, admin) == "fulfilling"


async def test_duplicate_and_second_confirmation_ask_for_nothing_more(
    orders: ServiceHarness, order_id: str, clock: FixedClock
) -> None:
    message = confirmed(order_id, clock)

    await orders.deliver(message, message, confirmed(order_id, clock))

    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1


@pytest.mark.parametrize("state", [PaymentState.EXPIRED, PaymentState.WAITING])
async def test_late_news_does_not_move_a_paid_order_back(
    orders: ServiceHarness, order_id: str, clock: FixedClock, admin: Headers, state: PaymentState
) -> None:
    await orders.deliver(confirmed(order_id, clock))

    await orders.deliver(updated(order_id, clock, state))

    assert await status_of(orders, order_id, admin) == "fulfilling"


async def test_money_after_cancellation_is_owed_back(
    orders: ServiceHarness, order_id: str, clock: FixedClock, admin: Headers
) -> None:
    answer = await orders.http.post(
        f"/admin/orders/{order_id}/actions",
        json={"action": "cancel", "reason": "asked for"},
        headers=admin,
    )
    assert answer.json()["status"] == "cancelled"

    await orders.deliver(confirmed(order_id, clock))

    assert await status_of(orders, order_id, admin) == "refund_due"
    assert await orders.sent(FulfillmentRequestedCustom) == []


async def test_money_for_an_unknown_order_waits_and_is_applied_when_it_comes(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    unknown = str(new_id())

    await orders.deliver(confirmed(unknown, clock))

    async with orders.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.given_up_at is None
    assert json.loads(letter.body)["order_id"] == unknown


async def test_unreadable_message_is_kept_and_the_next_one_handled(
    orders: ServiceHarness, order_id: str, clock: FixedClock, admin: Headers
) -> None:
    await orders.deliver_raw("payment.confirmed", b"not json", key=order_id.encode())
    assert await status_of(orders, order_id, admin) == "needs_attention"

    await orders.deliver(confirmed(order_id, clock))

    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1
    async with orders.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.given_up_at is not None
    assert letter.body == b"not json"
