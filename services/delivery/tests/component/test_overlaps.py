"""Messages and requests about one delivery, handled at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from contracts import DeliveryState, DeliveryUpdated, OrderCancelled
from delivery.adapters.tables import deliveries
from delivery.handlers.receive_keys import ReceiveKeys
from delivery.handlers.send_mails import MAIL
from delivery.handlers.void_deliveries import VoidDeliveries
from delivery.testing import SIGNER, InMemoryKeyStore, some_keys
from foundation.clock import new_id
from foundation.testing import FixedClock
from persistence.tables import jobs
from servicekit.jobs import schedule
from servicekit.testing import ServiceHarness
from webkit.testing import order_token

Step = tuple[Callable[..., Awaitable[None]], Any]


def both(clock: FixedClock, key: str = "AAAA-1") -> tuple[Step, Step]:
    """The cancellation, then the keys, of one line."""
    keys = some_keys(key)
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


async def test_one_key_for_two_lines_at_the_same_moment_goes_to_one_of_them(
    delivery: ServiceHarness, clock: FixedClock, store: InMemoryKeyStore
) -> None:
    first = some_keys("AAAA-1")
    second = first.model_copy(update={"id": new_id(), "line_id": new_id(), "order_id": new_id()})
    receive = ReceiveKeys(clock, 5)

    await overlap(delivery, (receive, first), (receive, second))
    await delivery.run_jobs()

    assert DeliveryState.NEEDS_ATTENTION in await states(delivery)
    assert len(store.objects) == 1


async def test_new_link_while_a_mail_is_being_settled_waits_its_turn(
    delivery: ServiceHarness, clock: FixedClock
) -> None:
    message = some_keys("AAAA-1")
    await delivery.deliver(message)
    await delivery.run_jobs()
    [stored, _] = await delivery.sent(DeliveryUpdated)
    headers = {"Authorization": f"Bearer {order_token(SIGNER, message.order_id, now=clock.now())}"}
    async with delivery.database.transaction() as transaction:
        await schedule(transaction, MAIL, message.order_id, clock.now() + timedelta(days=1))

    async with delivery.database.transaction() as settling:
        await settling.execute(sa.select(jobs).with_for_update())
        path = f"/deliveries/{stored.delivery_id}/link"
        asked = asyncio.create_task(delivery.http.post(path, headers=headers))
        await asyncio.sleep(0.3)
        await settling.execute(sa.select(deliveries).with_for_update())

    assert (await asked).status_code == 202


async def test_key_is_shown_or_its_money_owed_back_never_both(
    delivery: ServiceHarness, clock: FixedClock
) -> None:
    lines = [both(clock, f"AAAA-{number}") for number in range(8)]
    for _, (_, keys) in lines:
        await delivery.deliver(keys)
    await delivery.run_jobs()
    of_line = {m.line_id: m.delivery_id for m in await delivery.sent(DeliveryUpdated)}

    async def race(cancel: Step) -> tuple[int, bool | None]:
        message = cancel[1]
        [line_id] = message.line_ids
        token = order_token(SIGNER, message.order_id, now=clock.now())
        answer, _ = await asyncio.gather(
            delivery.http.post(
                f"/deliveries/{of_line[line_id]}/reveal",
                json={},
                headers={"Authorization": f"Bearer {token}"},
            ),
            delivery.deliver(message),
        )
        told = [m for m in await delivery.sent(DeliveryUpdated) if m.line_id == line_id]
        return answer.status_code, told[-1].revealed

    outcomes = {await race(cancel) for cancel, _ in lines}

    assert outcomes <= {(200, True), (410, False)}
