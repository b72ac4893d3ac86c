"""A request for a line and its cancellation, handled at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from contracts import (
    FulfillmentRequestedCustom,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    OrderCancelled,
)
from foundation.clock import new_id
from foundation.sealing import seal_address
from foundation.testing import FixedClock
from fulfillment_custom.handlers.cancel_lines import CancelLines
from fulfillment_custom.handlers.fulfill_line import FulfillLine
from fulfillment_custom.testing import DELIVERY_RING
from servicekit.testing import ServiceHarness

Step = tuple[Callable[..., Awaitable[None]], Any]


@pytest.fixture
async def steps(stock: ServiceHarness, clock: FixedClock, admin: dict[str, str]) -> list[Step]:
    """The cancellation, then the request, of one line whose key is on the shelf."""
    product_id, order_id, line_id = new_id(), new_id(), new_id()
    path = f"/admin/products/{product_id}/keys"
    await stock.http.post(path, json={"keys": ["AAAA-1"]}, headers=admin)
    cancelled = OrderCancelled(
        id=new_id(), occurred_at=clock.now(), order_id=order_id, line_ids=(line_id,), reason="test"
    )
    request = FulfillmentRequestedCustom(
        id=new_id(),
        occurred_at=clock.now(),
        order_id=order_id,
        line_id=line_id,
        product_id=product_id,
        title="Moon Farmer",
        quantity=1,
        lines_in_order=1,
        buyer=seal_address(DELIVERY_RING.public_key, "buyer@example.com", order_id),
    )
    return [(CancelLines(clock), cancelled), (FulfillLine(clock), request)]


async def overlap(stock: ServiceHarness, first: Step, second: Step) -> None:
    """Start the second before the first commits."""

    async def run_second() -> None:
        async with stock.database.transaction() as transaction:
            await second[0](transaction, second[1])

    async with stock.database.transaction() as transaction:
        await first[0](transaction, first[1])
        other = asyncio.create_task(run_second())
        await asyncio.sleep(0.3)
    await other


async def test_line_cancelled_at_the_moment_of_its_request_gets_no_key(
    stock: ServiceHarness, steps: list[Step]
) -> None:
    await overlap(stock, steps[0], steps[1])

    assert await stock.sent(KeyReady) == []
    assert [m.state for m in await stock.sent(FulfillmentUpdated)] == [FulfillmentState.RELEASED]


async def test_cancellation_at_the_moment_of_the_request_is_answered(
    stock: ServiceHarness, steps: list[Step]
) -> None:
    await overlap(stock, steps[1], steps[0])

    assert len(await stock.sent(KeyReady)) == 1
    assert [m.state for m in await stock.sent(FulfillmentUpdated)] == [FulfillmentState.TOO_LATE]
