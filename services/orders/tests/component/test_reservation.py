"""An order with lines of own stock is payable only while its keys are held."""

from decimal import Decimal

import pytest
from contracts import (
    FulfillmentRequestedCustom,
    OrderCancelled,
    OrderPlaced,
    PaymentState,
    StockUpdated,
)
from contracts.testing import (
    a_payment_confirmed,
    a_payment_updated,
    a_reservation,
    a_stock_updated,
)
from foundation.testing import FixedClock
from orders.domain.order import Order
from orders.domain.states import LineStatus, MoneyStatus, OrderStatus, ReservationStatus
from orders.testing import a_line, a_product, an_order, keep, stored
from servicekit.testing import ServiceHarness

Headers = dict[str, str]


def an_answer(order: Order, *, held: bool) -> StockUpdated:
    return a_stock_updated(reservation=a_reservation(order_id=order.id, held=held))


@pytest.fixture
async def order(orders: ServiceHarness) -> Order:
    """An order whose keys were asked for and whose invoice is ready."""
    order = an_order(reservation=ReservationStatus.ASKED)
    await keep(orders, order)
    await orders.deliver(a_payment_updated(order_id=order.id, state=PaymentState.INVOICE_READY))
    return order


async def page(orders: ServiceHarness, order: Order, admin: Headers) -> tuple[str, str | None, str]:
    """Status, invoice and text as the buyer sees them."""
    shown = (await orders.http.get(f"/orders/{order.id}", headers=admin)).json()
    return shown["status"], shown["payment"]["invoice_url"], shown["status_text"]


async def test_invoice_is_shown_once_the_keys_are_held(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    before = await page(orders, order, admin)

    await orders.deliver(an_answer(order, held=True))
    after = await page(orders, order, admin)

    assert before[:2] == ("placed", None)
    assert after[0] == "awaiting_payment"
    assert after[1] is not None


async def test_keys_of_an_underpaid_order_go_back_to_the_shelf_a_day_after_its_expiry(
    orders: ServiceHarness, order: Order, clock: FixedClock
) -> None:
    await orders.deliver(an_answer(order, held=True))
    part = a_payment_updated(order_id=order.id, state=PaymentState.PARTIALLY_PAID)
    await orders.deliver(part)

    clock.advance(hours=24)
    await orders.run_jobs()
    before = await orders.sent(OrderCancelled)
    clock.advance(hours=2)
    await orders.run_jobs()

    assert before == []
    [told] = await orders.sent(OrderCancelled)
    assert not told.final
    waiting = await stored(orders, order)
    assert (waiting.status, waiting.may_be_paid) == (OrderStatus.UNDERPAID, False)
    await orders.deliver(a_payment_confirmed(order_id=order.id))
    assert (await stored(orders, order)).late


async def test_keys_stay_held_where_the_rest_was_paid(
    orders: ServiceHarness, order: Order, clock: FixedClock
) -> None:
    await orders.deliver(an_answer(order, held=True))
    part = a_payment_updated(order_id=order.id, state=PaymentState.PARTIALLY_PAID)
    await orders.deliver(part, a_payment_confirmed(order_id=order.id))

    clock.advance(hours=26)
    await orders.run_jobs()

    assert not any(not told.final for told in await orders.sent(OrderCancelled))


async def test_refused_order_is_cancelled_and_says_so_plainly(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(an_answer(order, held=False))

    status, invoice_url, text = await page(orders, order, admin)
    assert (status, invoice_url) == ("cancelled", None)
    assert "sold out" in text
    [told] = await orders.sent(OrderCancelled)
    assert (told.reason, told.final) == ("sold out", True)


async def test_money_on_its_way_is_not_turned_away_by_a_refusal(
    orders: ServiceHarness, order: Order
) -> None:
    await orders.deliver(a_payment_updated(order_id=order.id, state=PaymentState.CONFIRMING))

    await orders.deliver(an_answer(order, held=False))
    await orders.deliver(a_payment_confirmed(order_id=order.id))

    assert await orders.sent(OrderCancelled) == []
    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1


async def test_second_and_contradicting_answers_change_nothing(
    orders: ServiceHarness, order: Order
) -> None:
    await orders.deliver(an_answer(order, held=True), an_answer(order, held=False))

    assert (await stored(orders, order)).status is OrderStatus.AWAITING_PAYMENT
    assert await orders.sent(OrderCancelled) == []


async def test_expired_order_lets_go_of_its_keys_once(orders: ServiceHarness, order: Order) -> None:
    expired = [a_payment_updated(order_id=order.id, state=PaymentState.EXPIRED) for _ in range(2)]

    await orders.deliver(an_answer(order, held=True), *expired)

    [told] = await orders.sent(OrderCancelled)
    assert not told.final
    assert (await stored(orders, order)).status is OrderStatus.EXPIRED


async def test_order_without_any_invoice_lets_go_of_its_keys(orders: ServiceHarness) -> None:
    order = an_order(reservation=ReservationStatus.HELD)
    await keep(orders, order)
    failed = a_payment_updated(order_id=order.id, state=PaymentState.FAILED, invoice_url=None)

    await orders.deliver(failed)

    assert [told.final for told in await orders.sent(OrderCancelled)] == [False]


@pytest.mark.parametrize(
    ("cost", "price", "asked"),
    [
        ("24.00", "30.00", True),
        ("26.00", "25.00", False),
        (None, "25.00", True),
        (None, "26.00", False),
    ],
)
async def test_late_money_buys_what_its_price_still_pays_for(
    orders: ServiceHarness, cost: str | None, price: str, *, asked: bool
) -> None:
    product = a_product(cost_usd=cost and Decimal(cost), retail_price=Decimal(price))
    order = an_order(a_line(product_id=product.id), reservation=ReservationStatus.HELD)
    await keep(orders, product, order)
    await orders.deliver(a_payment_updated(order_id=order.id, state=PaymentState.EXPIRED))
    await orders.deliver(a_payment_updated(order_id=order.id, state=PaymentState.CONFIRMING))

    await orders.deliver(a_payment_confirmed(order_id=order.id))

    requests = await orders.sent(FulfillmentRequestedCustom)
    assert [request.backorder for request in requests] == ([False] if asked else [])
    now = await stored(orders, order)
    assert now.late
    assert now.lines[0].status is (LineStatus.REQUESTED if asked else LineStatus.REFUND_DUE)


async def test_retry_of_an_unpaid_order_asks_for_its_reservation_again(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(
        a_payment_updated(order_id=order.id, state=PaymentState.NEEDS_ATTENTION, reason="look")
    )

    answer = await orders.http.post(
        f"/admin/orders/{order.id}/actions",
        json={"action": "retry", "reason": "stock was away"},
        headers=admin,
    )

    assert answer.status_code == 200
    assert [m.order_id for m in await orders.sent(OrderPlaced)] == [order.id]
    assert (await stored(orders, order)).money is MoneyStatus.INVOICED
