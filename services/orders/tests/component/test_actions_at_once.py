"""Two people act on one order at the same moment: one effect, one row on record, a plain answer."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest
from contracts import FulfillmentRequestedCustom, OrderCancelled, PaymentAccepted, PaymentState
from contracts.testing import a_coin_amount, a_payment_updated
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.domain.order import Order
from orders.domain.states import LineStatus
from orders.testing import NOW, a_line, a_paid_order, a_product, an_order, keep
from servicekit.testing import ServiceHarness

Headers = dict[str, str]
TX = "ab" * 32


async def act(
    orders: ServiceHarness, order_id: object, action: str, admin: Headers, **fields: Any
) -> httpx.Response:
    body = {"action": action, "reason": "asked for", **fields}
    return await orders.http.post(f"/admin/orders/{order_id}/actions", json=body, headers=admin)


async def audited(orders: ServiceHarness, admin: Headers) -> list[str]:
    rows = (await orders.http.get("/admin/audit", headers=admin)).json()["items"]
    return [row["action"] for row in rows]


async def an_order_for(orders: ServiceHarness, action: str) -> Order:
    """One that the action fits, once."""
    product = a_product(cost_usd=Decimal(1))
    order = an_order(a_line(product_id=product.id))
    if action in {"retry", "mark_refunded"}:
        order = a_paid_order(a_line(product_id=product.id))
    if action == "mark_refunded":
        order.move_line(order.lines[0], LineStatus.REFUND_DUE, NOW)
    await keep(orders, product, order)
    if action == "accept_underpaid":
        await orders.deliver(
            a_payment_updated(
                order_id=order.id,
                state=PaymentState.PARTIALLY_PAID,
                payment_id="77",
                asked=a_coin_amount("10", "xrp"),
                paid=a_coin_amount("8", "xrp"),
            )
        )
    return order


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("cancel", "an order that is cancelled cannot be cancelled"),
        ("retry", "it was tried again a moment ago, by test-admin"),
        ("accept_underpaid", "it is paid already"),
        ("mark_refunded", "no line of this order is owed back"),
    ],
)
async def test_action_of_two_people_at_once_has_one_effect_and_one_row(
    orders: ServiceHarness, admin: Headers, action: str, says: str
) -> None:
    order = await an_order_for(orders, action)

    answers = await asyncio.gather(
        *(act(orders, order.id, action, admin, tx_hash=TX) for _ in range(2))
    )

    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["detail"] == says
    assert await audited(orders, admin) == [f"order.{action}"]
    assert len(await orders.sent(OrderCancelled)) == (action == "cancel")
    assert len(await orders.sent(PaymentAccepted)) == (action == "accept_underpaid")
    is_asked = action in {"retry", "accept_underpaid"}
    assert len(await orders.sent(FulfillmentRequestedCustom)) == is_asked


@pytest.mark.parametrize("action", ["cancel", "retry", "accept_underpaid", "mark_refunded"])
async def test_action_on_an_order_that_is_not_there_is_not_found(
    orders: ServiceHarness, admin: Headers, action: str
) -> None:
    answer = await act(orders, new_id(), action, admin, tx_hash=TX)

    assert (answer.status_code, await audited(orders, admin)) == (404, [])


async def test_cancelling_a_line_that_is_not_there_is_not_found_and_cancels_no_other(
    orders: ServiceHarness, admin: Headers
) -> None:
    order = a_paid_order()
    await keep(orders, order)
    lines = [str(order.lines[0].id), str(new_id())]

    answer = await act(orders, order.id, "cancel", admin, line_ids=lines)

    assert (answer.status_code, await orders.sent(OrderCancelled)) == (404, [])


async def test_retry_is_taken_again_after_a_while_and_refused_when_nothing_waits(
    orders: ServiceHarness, admin: Headers, clock: FixedClock
) -> None:
    order = a_paid_order()
    done = a_paid_order()
    done.move_line(done.lines[0], LineStatus.DELIVERED, NOW)
    await keep(orders, order, done)

    first = await act(orders, order.id, "retry", admin)
    clock.advance(seconds=11)
    again = await act(orders, order.id, "retry", admin)
    nothing = await act(orders, done.id, "retry", admin)

    assert (first.status_code, again.status_code, nothing.status_code) == (200, 200, 409)
    assert nothing.json()["detail"] == "nothing of it waits to be tried again"
