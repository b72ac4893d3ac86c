"""Keys are held from the order to its money, or to its cancellation."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    Message,
    OrderPlaced,
    PlacedLine,
    StockUpdated,
)
from contracts.testing import a_fulfillment_requested_custom, a_placed_line, an_order_cancelled
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_custom.handlers.reserve_stock import ReserveStock
from fulfillment_custom.testing import a_placed, key_states, shelve
from servicekit.testing import ServiceHarness


def firm(product_id: UUID, quantity: int = 1) -> PlacedLine:
    """A line of a product that is not backordered."""
    return a_placed_line(product_id=product_id, quantity=quantity, backorder=False)


def cancelled(order: OrderPlaced, *, final: bool) -> Message:
    ids = tuple(line.line_id for line in order.lines)
    return an_order_cancelled(order_id=order.order_id, line_ids=ids, final=final)


def request(order: OrderPlaced, line: PlacedLine) -> Message:
    return a_fulfillment_requested_custom(
        order_id=order.order_id,
        line_id=line.line_id,
        product_id=line.product_id,
        quantity=line.quantity,
        backorder=line.backorder,
    )


async def answers(stock: ServiceHarness) -> list[bool]:
    return [m.reservation.held for m in await stock.sent(StockUpdated) if m.reservation]


async def levels(stock: ServiceHarness) -> list[int]:
    return [m.level.free for m in await stock.sent(StockUpdated) if m.level]


async def test_held_keys_are_not_free_and_not_given_to_others(stock: ServiceHarness) -> None:
    product, other = new_id(), a_fulfillment_requested_custom(backorder=False)
    await shelve(stock, product, 1)

    await stock.deliver(a_placed(firm(product)))
    await stock.deliver(other.model_copy(update={"product_id": product}))

    assert await answers(stock) == [True]
    assert (await levels(stock))[0] == 0
    assert [m.state for m in await stock.sent(FulfillmentUpdated)] == [FulfillmentState.FAILED]


async def test_lines_of_one_order_are_held_all_or_none(stock: ServiceHarness) -> None:
    plenty, scarce = new_id(), new_id()
    await shelve(stock, plenty, 5)
    await shelve(stock, scarce, 1)

    await stock.deliver(a_placed(firm(plenty, 2), firm(scarce), firm(scarce)))

    assert await answers(stock) == [False]
    assert set(await key_states(stock, plenty)) == {"free"}


async def test_paid_line_gets_the_keys_that_were_held_for_it(stock: ServiceHarness) -> None:
    product = new_id()
    await shelve(stock, product, 3)
    order = a_placed(firm(product, 2))
    await stock.deliver(order)

    await stock.deliver(request(order, order.lines[0]))

    assert await key_states(stock, product) == ["assigned", "assigned", "free"]
    assert len((await stock.sent(KeyReady))[0].keys) == 2


async def test_order_placed_again_is_answered_with_what_is_now(stock: ServiceHarness) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))
    again = [order.model_copy(update={"id": new_id()}) for _ in range(2)]

    await stock.deliver(order, again[0], cancelled(order, final=False), again[1])

    assert await answers(stock) == [True, True, False]
    assert await key_states(stock, product) == ["free"]


@pytest.mark.parametrize("final", [True, False])
async def test_cancellation_before_its_order_leaves_nothing_held(
    stock: ServiceHarness, *, final: bool
) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))

    await stock.deliver(cancelled(order, final=final), order)

    assert await answers(stock) == [False]
    assert await key_states(stock, product) == ["free"]


async def test_expired_order_that_is_paid_late_may_still_have_free_keys(
    stock: ServiceHarness,
) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))

    await stock.deliver(order, cancelled(order, final=False), request(order, order.lines[0]))

    assert await key_states(stock, product) == ["assigned"]
    assert await stock.sent(FulfillmentUpdated) == []


async def test_expiry_that_comes_after_the_request_takes_nothing_back(
    stock: ServiceHarness,
) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))

    await stock.deliver(order, request(order, order.lines[0]), cancelled(order, final=False))

    assert await key_states(stock, product) == ["assigned"]
    assert await stock.sent(FulfillmentUpdated) == []


async def test_freed_keys_serve_the_line_that_waits_longest(stock: ServiceHarness) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))
    waiting = [a_fulfillment_requested_custom(product_id=product) for _ in range(2)]
    await stock.deliver(order, *waiting)

    await stock.deliver(cancelled(order, final=True))

    assert [m.line_id for m in await stock.sent(KeyReady)] == [waiting[0].line_id]


async def test_free_keys_that_paid_lines_wait_for_are_not_held(stock: ServiceHarness) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    await stock.deliver(a_fulfillment_requested_custom(product_id=product, quantity=2))

    await stock.deliver(a_placed(a_placed_line(product_id=product)))

    assert await answers(stock) == [True]
    assert await key_states(stock, product) == ["free"]


async def test_cancelled_line_no_longer_holds_up_those_behind_it(stock: ServiceHarness) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    big = a_fulfillment_requested_custom(product_id=product, quantity=2)
    small = a_fulfillment_requested_custom(product_id=product)
    await stock.deliver(big, small)

    await stock.deliver(an_order_cancelled(order_id=big.order_id, line_ids=(big.line_id,)))

    assert [m.line_id for m in await stock.sent(KeyReady)] == [small.line_id]


async def test_order_that_comes_after_its_time_is_refused(
    stock: ServiceHarness, clock: FixedClock
) -> None:
    product = new_id()
    await shelve(stock, product, 1)
    order = a_placed(firm(product))
    clock.advance(hours=2)

    await stock.deliver(order)

    assert await answers(stock) == [False]


async def test_admin_sees_how_many_keys_are_reserved(
    stock: ServiceHarness, admin: dict[str, str]
) -> None:
    product = new_id()
    await shelve(stock, product, 3)
    await stock.deliver(a_placed(firm(product, 2)))

    [row] = (await stock.http.get("/admin/stock", headers=admin)).json()["items"]

    assert (row["free"], row["reserved"], row["assigned"]) == (1, 2, 0)


async def test_five_hundred_buyers_of_a_hundred_keys(
    stock: ServiceHarness, clock: FixedClock
) -> None:
    """Each in a transaction of its own, as many at once as there are connections."""
    product = new_id()
    await shelve(stock, product, 100)
    orders = [a_placed(firm(product)) for _ in range(500)]
    reserve = ReserveStock(clock)

    async def place(order: OrderPlaced) -> None:
        async with stock.database.transaction() as transaction:
            await reserve(transaction, order)

    for start in range(0, 500, 5):
        await asyncio.gather(*(place(order) for order in orders[start : start + 5]))
    told = await answers(stock)
    held = {
        m.reservation.order_id
        for m in await stock.sent(StockUpdated)
        if m.reservation and m.reservation.held
    }
    await stock.deliver(*(request(o, o.lines[0]) for o in orders if o.order_id in held))

    assert (told.count(True), told.count(False)) == (100, 400)
    ready = await stock.sent(KeyReady)
    assert len({key.fingerprint for message in ready for key in message.keys}) == len(ready) == 100
    assert set(await key_states(stock, product)) == {"assigned"}


async def test_keys_left_held_by_an_older_version_go_back_to_the_shelf(
    stock: ServiceHarness,
) -> None:
    product = new_id()
    await shelve(stock, product, 3)
    line = firm(product)
    order = a_placed(line)
    await stock.deliver(order)
    async with stock.database.transaction() as transaction:  # as if it had served from the shelf
        await transaction.execute(
            sa.text("UPDATE stock_keys SET state = 'free', reserved_for = NULL")
        )
    await stock.deliver(request(order, line))
    async with stock.database.transaction() as transaction:
        await transaction.execute(
            sa.text(
                "UPDATE stock_keys SET state = 'reserved', reserved_for = :line"
                " WHERE id = (SELECT id FROM stock_keys WHERE state = 'free' LIMIT 1)"
            ),
            {"line": line.line_id},
        )

    await stock.deliver(
        a_fulfillment_requested_custom(product_id=product, quantity=2, backorder=False)
    )

    assert sorted(await key_states(stock, product)) == ["assigned"] * 3
