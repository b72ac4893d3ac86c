"""Cancelling after payment: only an answer moves the money, and nobody gets both."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import httpx
import pytest
from contracts import (
    DeliveryState,
    FulfillmentRequestedCustom,
    FulfillmentState,
    Message,
    OrderCancelled,
    SourceType,
)
from contracts.testing import a_delivery_updated, a_fulfillment_updated, a_payment_confirmed
from foundation.testing import FixedClock
from orders.domain.order import Line, Order
from orders.domain.states import Cancellation, LineStatus, OrderStatus
from orders.testing import a_line, a_paid_order, an_order, keep, stored
from servicekit.testing import ServiceHarness

Headers = dict[str, str]


def says(order: Order, state: FulfillmentState) -> Message:
    return a_fulfillment_updated(order_id=order.id, line_id=order.lines[0].id, state=state)


def delivery_says(
    order: Order, state: DeliveryState, version: int, *, revealed: bool | None = None
) -> Message:
    return a_delivery_updated(
        order_id=order.id,
        line_id=order.lines[0].id,
        delivery_id=order.id,
        state=state,
        version=version,
        revealed=revealed,
    )


async def cancel(
    orders: ServiceHarness, order: Order, admin: Headers, lines: Sequence[UUID] | None = None
) -> httpx.Response:
    body: dict[str, object] = {"action": "cancel", "reason": "the buyer asked"}
    if lines is not None:
        body["line_ids"] = [str(line_id) for line_id in lines]
    return await orders.http.post(f"/admin/orders/{order.id}/actions", json=body, headers=admin)


async def line_of(orders: ServiceHarness, order: Order) -> Line:
    return (await stored(orders, order)).lines[0]


def a_bought_line() -> Line:
    return a_line(source_type=SourceType.KINGUIN, kinguin_product_id="5c9b")


@pytest.fixture
async def order(orders: ServiceHarness) -> Order:
    """A paid order of two lines whose keys were asked for."""
    order = a_paid_order(a_line(), a_line())
    await keep(orders, order)
    return order


async def test_paid_order_waits_for_answers_before_its_money_is_owed(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    answer = await cancel(orders, order, admin)

    assert answer.status_code == 200
    assert [item["cancellation"] for item in answer.json()["items"]] == ["asked", "asked"]
    [told] = await orders.sent(OrderCancelled)
    assert (set(told.line_ids), told.final) == ({line.id for line in order.lines}, True)
    assert {line.status for line in (await stored(orders, order)).lines} == {LineStatus.REQUESTED}


async def test_only_the_named_line_is_cancelled(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await cancel(orders, order, admin, [order.lines[0].id])

    [told] = await orders.sent(OrderCancelled)
    assert told.line_ids == (order.lines[0].id,)
    second = (await stored(orders, order)).lines[1]
    assert second.cancellation is None


async def test_released_line_is_owed_back(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await cancel(orders, order, admin, [order.lines[0].id])

    await orders.deliver(says(order, FulfillmentState.RELEASED))

    assert (await line_of(orders, order)).status is LineStatus.REFUND_DUE


async def test_line_handed_back_while_it_is_cancelled_is_not_asked_for_elsewhere(
    orders: ServiceHarness, admin: Headers
) -> None:
    order = a_paid_order(a_bought_line())
    await keep(orders, order)
    await cancel(orders, order, admin)

    await orders.deliver(says(order, FulfillmentState.HANDED_BACK))

    assert (await line_of(orders, order)).status is LineStatus.REFUND_DUE
    assert await orders.sent(FulfillmentRequestedCustom) == []


async def test_line_that_is_handed_back_again_keeps_the_key_it_got_elsewhere(
    orders: ServiceHarness, admin: Headers
) -> None:
    order = a_paid_order(a_bought_line())
    await keep(orders, order)
    await orders.deliver(says(order, FulfillmentState.HANDED_BACK))
    await orders.deliver(delivery_says(order, DeliveryState.MAILED, 1))
    await cancel(orders, order, admin)

    await orders.deliver(says(order, FulfillmentState.HANDED_BACK))

    assert (await line_of(orders, order)).status is LineStatus.DELIVERED


@pytest.mark.parametrize("arrival", list(permutations(range(4))))
async def test_key_nobody_saw_is_owed_back_in_any_order_of_the_answers(
    orders: ServiceHarness, order: Order, admin: Headers, arrival: tuple[int, ...]
) -> None:
    await cancel(orders, order, admin, [order.lines[0].id])
    messages = [
        says(order, FulfillmentState.TOO_LATE),
        delivery_says(order, DeliveryState.STORED, 1),
        delivery_says(order, DeliveryState.MAILED, 2),
        delivery_says(order, DeliveryState.VOIDED, 3, revealed=False),
    ]

    await orders.deliver(*(messages[position] for position in arrival))

    assert (await line_of(orders, order)).status is LineStatus.REFUND_DUE


async def test_key_that_was_shown_stays_with_the_buyer_and_the_admin_reads_why(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await orders.deliver(delivery_says(order, DeliveryState.MAILED, 1))
    await cancel(orders, order, admin, [order.lines[0].id])

    await orders.deliver(
        says(order, FulfillmentState.TOO_LATE),
        delivery_says(order, DeliveryState.REVEALED, 2, revealed=True),
    )

    line = await line_of(orders, order)
    assert (line.status, line.cancellation) == (LineStatus.DELIVERED, Cancellation.REFUSED)
    again = await cancel(orders, order, admin, [line.id])
    assert again.status_code == 409
    assert "shown already" in again.json()["detail"]


async def test_cancelling_twice_or_what_is_no_line_changes_nothing(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await cancel(orders, order, admin)

    second = await cancel(orders, order, admin)
    foreign = await cancel(orders, order, admin, [order.id])

    assert (second.status_code, foreign.status_code) == (409, 404)
    assert len(await orders.sent(OrderCancelled)) == 1


async def test_lines_of_an_unpaid_order_are_not_cancelled_one_by_one(
    orders: ServiceHarness, admin: Headers
) -> None:
    unpaid = an_order()
    await keep(orders, unpaid)

    answer = await cancel(orders, unpaid, admin, [unpaid.lines[0].id])

    assert answer.status_code == 409
    assert (await stored(orders, unpaid)).status is OrderStatus.PLACED


async def test_paid_line_without_an_answer_is_asked_for_again_ever_more_rarely(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    unpaid = an_order()
    await keep(orders, unpaid)
    await orders.deliver(a_payment_confirmed(order_id=unpaid.id))
    asked = []

    for _ in range(8):
        clock.advance(minutes=10)
        await orders.run_jobs()
        asked.append(len(await orders.sent(FulfillmentRequestedCustom)))

    assert asked == [2, 3, 3, 4, 4, 4, 4, 5]


async def test_line_that_nobody_heard_of_is_asked_for_while_it_is_being_cancelled(
    orders: ServiceHarness, clock: FixedClock, admin: Headers
) -> None:
    unpaid = an_order()
    await keep(orders, unpaid)
    await orders.deliver(a_payment_confirmed(order_id=unpaid.id))
    await cancel(orders, unpaid, admin)

    clock.advance(minutes=10)
    await orders.run_jobs()

    # Who knows no such line is silent about the first, and answers the second.
    assert len(await orders.sent(OrderCancelled)) == 2
    assert len(await orders.sent(FulfillmentRequestedCustom)) == 2


async def test_line_with_its_key_is_not_asked_for_again(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    unpaid = an_order()
    await keep(orders, unpaid)
    await orders.deliver(a_payment_confirmed(order_id=unpaid.id))
    await orders.deliver(delivery_says(unpaid, DeliveryState.STORED, 1))

    clock.advance(hours=100)
    await orders.run_jobs()

    assert len(await orders.sent(FulfillmentRequestedCustom)) == 1
    assert await orders.sent(OrderCancelled) == []


async def test_line_without_keys_is_cancelled_after_seventy_two_hours_and_then_owed_back(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    unpaid = an_order()
    await keep(orders, unpaid)
    await orders.deliver(a_payment_confirmed(order_id=unpaid.id))
    await orders.deliver(says(unpaid, FulfillmentState.DELAYED))

    for _ in range(7):
        clock.advance(hours=12)
        await orders.run_jobs()
    line = await line_of(orders, unpaid)
    assert (line.status, line.cancellation) == (LineStatus.DELAYED, Cancellation.ASKED)
    await orders.deliver(says(unpaid, FulfillmentState.RELEASED))

    assert (await line_of(orders, unpaid)).status is LineStatus.REFUND_DUE
    clock.advance(timedelta(hours=24).total_seconds())
    before = len(await orders.sent(OrderCancelled))
    await orders.run_jobs()
    assert len(await orders.sent(OrderCancelled)) == before
