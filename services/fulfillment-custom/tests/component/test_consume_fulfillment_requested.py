"""A paid line asks for keys from own stock."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    FulfillmentRequestedCustom,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    OrderCancelled,
    StockReturned,
    StockUpdated,
)
from foundation.clock import new_id
from foundation.sealing import open_game_key, seal_address
from foundation.testing import FixedClock
from fulfillment_custom.testing import DELIVERY_RING
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness

Headers = dict[str, str]
NOW = FixedClock().now()


def a_request(product_id: UUID, quantity: int = 1, **fields: object) -> FulfillmentRequestedCustom:
    order_id = new_id()
    return FulfillmentRequestedCustom.model_validate(
        {
            "id": new_id(),
            "occurred_at": NOW,
            "order_id": order_id,
            "line_id": new_id(),
            "product_id": product_id,
            "title": "Moon Farmer",
            "quantity": quantity,
            "lines_in_order": 1,
            "buyer": seal_address(DELIVERY_RING.public_key, "buyer@example.com", order_id),
            **fields,
        }
    )


def again(message: FulfillmentRequestedCustom) -> FulfillmentRequestedCustom:
    """The same question as a new message."""
    return message.model_copy(update={"id": new_id()})


async def upload(stock: ServiceHarness, admin: Headers, product_id: UUID, *keys: str) -> None:
    answer = await stock.http.post(
        f"/admin/products/{product_id}/keys", json={"keys": keys}, headers=admin
    )
    assert answer.status_code == 200, answer.text


async def delivered_keys(stock: ServiceHarness) -> list[list[str]]:
    ready = await stock.sent(KeyReady)
    return [[open_game_key(DELIVERY_RING, key).text() for key in m.keys] for m in ready]


async def answers(stock: ServiceHarness) -> list[tuple[UUID | None, FulfillmentState]]:
    return [(message.line_id, message.state) for message in await stock.sent(FulfillmentUpdated)]


async def test_line_gets_the_oldest_keys_sealed_for_delivery(
    stock: ServiceHarness, admin: Headers
) -> None:
    product_id = new_id()
    await upload(stock, admin, product_id, "AAAA-1", "BBBB-2", "CCCC-3", "DDDD-4")

    await stock.deliver(a_request(product_id, quantity=3))

    assert await delivered_keys(stock) == [["AAAA-1", "BBBB-2", "CCCC-3"]]
    levels = [m.level.free for m in await stock.sent(StockUpdated) if m.level]
    assert levels == [4, 1]


async def test_duplicate_message_gives_no_second_key(stock: ServiceHarness, admin: Headers) -> None:
    product_id, message = new_id(), None
    await upload(stock, admin, product_id, "AAAA-1", "BBBB-2")
    message = a_request(product_id)

    await stock.deliver(message, message)

    assert await delivered_keys(stock) == [["AAAA-1"]]


async def test_asking_again_for_a_known_line_repeats_the_same_keys(
    stock: ServiceHarness, admin: Headers
) -> None:
    product_id = new_id()
    await upload(stock, admin, product_id, "AAAA-1", "BBBB-2")
    message = a_request(product_id)

    await stock.deliver(message, again(message))

    assert await delivered_keys(stock) == [["AAAA-1"], ["AAAA-1"]]


async def test_waiting_lines_are_served_in_order_when_keys_arrive(
    stock: ServiceHarness, admin: Headers
) -> None:
    product_id = new_id()
    first, second, third = (a_request(product_id, quantity) for quantity in (1, 2, 1))
    await stock.deliver(first, second, third)
    assert [state for _, state in await answers(stock)] == [FulfillmentState.DELAYED] * 3

    await upload(stock, admin, product_id, "AAAA-1", "BBBB-2")
    assert await delivered_keys(stock) == [["AAAA-1"]]
    await upload(stock, admin, product_id, "CCCC-3", "DDDD-4")

    assert [m.line_id for m in await stock.sent(KeyReady)] == [
        first.line_id,
        second.line_id,
        third.line_id,
    ]
    assert await delivered_keys(stock) == [["AAAA-1"], ["BBBB-2", "CCCC-3"], ["DDDD-4"]]


async def test_line_without_backorder_fails_when_nothing_is_there(stock: ServiceHarness) -> None:
    message = a_request(new_id(), backorder=False)

    await stock.deliver(message)

    assert await answers(stock) == [(message.line_id, FulfillmentState.FAILED)]


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_cancelled_line_gets_no_key_whichever_message_comes_first(
    stock: ServiceHarness, admin: Headers, *, cancel_first: bool
) -> None:
    product_id = new_id()
    request = a_request(product_id)
    cancel = OrderCancelled(
        id=new_id(),
        occurred_at=NOW,
        order_id=request.order_id,
        line_ids=(request.line_id,),
        reason="asked for",
    )

    await stock.deliver(*((cancel, request) if cancel_first else (request, cancel)))
    await upload(stock, admin, product_id, "AAAA-1")

    assert await delivered_keys(stock) == []
    assert (request.line_id, FulfillmentState.RELEASED) in await answers(stock)


async def test_cancelling_a_served_line_is_too_late(stock: ServiceHarness, admin: Headers) -> None:
    product_id = new_id()
    request = a_request(product_id)
    await upload(stock, admin, product_id, "AAAA-1")
    await stock.deliver(request)

    await stock.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=NOW,
            order_id=request.order_id,
            line_ids=(request.line_id,),
            reason="asked for",
        )
    )

    assert await answers(stock) == [(request.line_id, FulfillmentState.TOO_LATE)]


async def test_returned_keys_serve_waiting_lines(stock: ServiceHarness, admin: Headers) -> None:
    donor, product_id = new_id(), new_id()
    await upload(stock, admin, donor, "AAAA-1")
    await stock.deliver(a_request(donor))
    [bought] = await stock.sent(KeyReady)
    key = bought.keys[0].model_copy(update={"key_id": new_id(), "fingerprint": "f" * 64})
    await stock.deliver(a_request(product_id))

    await stock.deliver(
        StockReturned(
            id=new_id(),
            occurred_at=NOW,
            order_id=bought.order_id,
            line_id=bought.line_id,
            product_id=product_id,
            keys=(key,),
        )
    )

    assert [m.product_id for m in await stock.sent(KeyReady)] == [donor, product_id]


async def test_message_that_always_fails_is_given_up_and_its_order_flagged(
    stock: ServiceHarness, clock: FixedClock
) -> None:
    good, bad = a_request(new_id()), a_request(new_id(), quantity=40_000)  # more than a smallint

    await stock.deliver(bad, good)
    for _ in range(6):
        clock.advance(hours=1)
        await stock.run_jobs()

    states = await answers(stock)
    assert (good.line_id, FulfillmentState.DELAYED) in states
    assert (None, FulfillmentState.NEEDS_ATTENTION) in states
    async with stock.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.given_up_at is not None
    assert bad.order_id == UUID(letter.key.decode())


async def test_unreadable_message_is_kept_and_its_order_flagged(stock: ServiceHarness) -> None:
    order_id = new_id()

    await stock.deliver_raw(
        "fulfillment.requested.custom", b'{"type": "unknown.v9"}', key=str(order_id).encode()
    )

    [message] = await stock.sent(FulfillmentUpdated)
    assert (message.order_id, message.state) == (order_id, FulfillmentState.NEEDS_ATTENTION)
