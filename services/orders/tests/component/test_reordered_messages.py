"""Topics are not ordered among each other: each message may come before what it follows."""

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    FulfillmentRequestedCustom,
    FulfillmentState,
    FulfillmentUpdated,
    PaymentState,
)
from contracts.testing import (
    a_delivery_updated,
    a_fulfillment_updated,
    a_payment_confirmed,
    a_payment_updated,
    a_stock_level,
    a_stock_updated,
)
from foundation.testing import FixedClock
from orders.adapters.tables import products
from orders.domain.order import Order
from orders.domain.states import LineStatus, OrderStatus
from orders.testing import NOW, a_paid_order, a_product, an_order, keep, stored
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness

LINE_STATES = [
    FulfillmentState.DELAYED,
    FulfillmentState.FAILED,
    FulfillmentState.RELEASED,
    FulfillmentState.HANDED_BACK,
]


def an_answer(order: Order, state: FulfillmentState) -> FulfillmentUpdated:
    return a_fulfillment_updated(order_id=order.id, line_id=order.lines[0].id, state=state)


@pytest.mark.parametrize("state", LINE_STATES)
async def test_answer_for_a_line_that_was_not_asked_for_changes_nothing(
    orders: ServiceHarness, state: FulfillmentState
) -> None:
    order = an_order()
    await keep(orders, order)

    await orders.deliver(an_answer(order, state))
    assert (await stored(orders, order)).lines[0].status is LineStatus.WAITING
    await orders.deliver(a_payment_confirmed(order_id=order.id))

    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1
    assert (await stored(orders, order)).status is OrderStatus.FULFILLING


async def test_key_that_is_mailed_before_it_is_stored_is_delivered_and_stays_so(
    orders: ServiceHarness,
) -> None:
    order = a_paid_order()
    await keep(orders, order)
    early = a_delivery_updated(order_id=order.id, line_id=order.lines[0].id, version=1)
    late = a_delivery_updated(
        order_id=order.id,
        line_id=order.lines[0].id,
        delivery_id=early.delivery_id,
        state=DeliveryState.MAILED,
        version=2,
        reveals_left=4,
    )

    await orders.deliver(late)
    assert (await stored(orders, order)).status is OrderStatus.FULFILLED
    await orders.deliver(early)

    now = await stored(orders, order)
    assert now.status is OrderStatus.FULFILLED
    assert now.lines[0].delivery
    assert (now.lines[0].delivery.version, now.lines[0].delivery.reveals_left) == (2, 4)


async def test_delay_that_comes_after_the_key_does_not_take_it_away(
    orders: ServiceHarness,
) -> None:
    order = a_paid_order()
    await keep(orders, order)
    line = order.lines[0]
    await orders.deliver(a_delivery_updated(order_id=order.id, line_id=line.id))

    await orders.deliver(an_answer(order, FulfillmentState.DELAYED))

    assert (await stored(orders, order)).lines[0].status is LineStatus.STORED


async def test_money_that_comes_before_its_order_is_known_is_applied_once_it_is(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    order = an_order()
    await orders.deliver(a_payment_confirmed(order_id=order.id))

    await keep(orders, order)
    clock.advance(2)
    await orders.run_jobs()

    assert (await stored(orders, order)).status is OrderStatus.FULFILLING
    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1
    async with orders.database.transaction() as transaction:
        assert (await transaction.execute(sa.select(dead_letters))).all() == []


async def test_money_for_an_order_that_never_comes_is_kept_for_a_person(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    message = a_payment_confirmed()
    await orders.deliver(message)

    for _ in range(6):
        clock.advance(minutes=6)
        await orders.run_jobs()

    async with orders.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.body == message.model_dump_json().encode()
    assert letter.given_up_at is not None


async def test_progress_that_comes_after_the_money_changes_no_status(
    orders: ServiceHarness,
) -> None:
    order = an_order()
    await keep(orders, order)
    await orders.deliver(a_payment_confirmed(order_id=order.id))

    for state in (PaymentState.WAITING, PaymentState.PARTIALLY_PAID, PaymentState.EXPIRED):
        await orders.deliver(a_payment_updated(order_id=order.id, state=state))

    assert (await stored(orders, order)).status is OrderStatus.FULFILLING


async def test_money_for_a_cancelled_order_is_owed_back_and_asks_for_no_key(
    orders: ServiceHarness,
) -> None:
    order = an_order()
    order.cancel(NOW, "asked for")
    await keep(orders, order)

    await orders.deliver(a_payment_confirmed(order_id=order.id))

    assert (await stored(orders, order)).status is OrderStatus.REFUND_DUE
    assert await orders.sent(FulfillmentRequestedCustom) == []


async def test_older_stock_level_does_not_undo_a_newer_one(orders: ServiceHarness) -> None:
    product = a_product()
    await keep(orders, product)

    for version, free in ((2, 5), (1, 9)):
        level = a_stock_level(product_id=product.id, free=free, version=version)
        await orders.deliver(a_stock_updated(level=level))

    async with orders.database.transaction() as transaction:
        assert await transaction.scalar(sa.select(products.c.free_stock)) == 5


@pytest.mark.parametrize("state", [DeliveryState.MAIL_FAILED, DeliveryState.NEEDS_ATTENTION])
async def test_trouble_of_a_delivery_flags_the_order(
    orders: ServiceHarness, state: DeliveryState
) -> None:
    order = a_paid_order()
    await keep(orders, order)

    await orders.deliver(
        a_delivery_updated(order_id=order.id, line_id=order.lines[0].id, state=state)
    )

    assert (await stored(orders, order)).status is OrderStatus.NEEDS_ATTENTION


async def test_news_without_a_price_flags_the_order_and_leaves_its_total(
    orders: ServiceHarness,
) -> None:
    order = an_order()
    await keep(orders, order)
    message = a_payment_updated(order_id=order.id, state=PaymentState.NEEDS_ATTENTION)

    await orders.deliver(message.model_copy(update={"price": None}))

    now = await stored(orders, order)
    assert (now.status, now.total) == (OrderStatus.NEEDS_ATTENTION, order.total)


async def test_line_that_fails_after_payment_is_owed_back(orders: ServiceHarness) -> None:
    order = a_paid_order()
    await keep(orders, order)

    await orders.deliver(an_answer(order, FulfillmentState.FAILED))

    assert (await stored(orders, order)).status is OrderStatus.REFUND_DUE
