"""Messages and requests about one delivery, handled at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import DeliveryState, DeliveryUpdated, OrderCancelled
from delivery.handlers.receive_keys import ReceiveKeys
from delivery.handlers.void_deliveries import VoidDeliveries
from delivery.testing import InMemoryKeyStore, some_keys
from servicekit.clock import new_id
from servicekit.testing import FixedClock, ServiceHarness

Step = tuple[Callable[..., Awaitable[None]], Any]


def both(clock: FixedClock) -> tuple[Step, Step]:
    """The cancellation, then the keys, of one line."""
    keys = some_keys("AAAA-1")
    cancelled = OrderCancelled(
        id=new_id(),
        occurred_at=clock.now(),
        order_id=keys.order_id,
        line_ids=(keys.line_id,),
        reason="test",
    )
    return (VoidDeliveries(clock, 5), cancelled), (ReceiveKeys(clock, 5), keys)


async def overlap(delivery: ServiceHarness, first: Step, second: Step) -> None:
    """Start the second before the first commits."""

    async def run_second() -> None:
        async with delivery.database.transaction() as transaction:
            await second[0](transaction, second[1])

    async with delivery.database.transaction() as transaction:
        await first[0](transaction, first[1])
        other = asyncio.create_task(run_second())
        await asyncio.sleep(0.3)
    await other


async def states(delivery: ServiceHarness) -> list[DeliveryState]:
    return [message.state for message in await delivery.sent(DeliveryUpdated)]


async def test_keys_at_the_moment_of_their_cancellation_are_void(
    delivery: ServiceHarness, clock: FixedClock, store: InMemoryKeyStore
) -> None:
    cancel, receive = both(clock)

    await overlap(delivery, cancel, receive)
    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.VOIDED]
    assert store.objects == {}


async def test_cancellation_at_the_moment_the_keys_come_voids_them(
    delivery: ServiceHarness, clock: FixedClock
) -> None:
    cancel, receive = both(clock)

    await overlap(delivery, receive, cancel)
    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.VOIDED]
