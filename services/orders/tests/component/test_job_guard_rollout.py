"""Kinguin goes a step back when too few of its lines get their keys in time: once, and told."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    DeliveryUpdated,
    EmailRequested,
    FulfillmentState,
    FulfillmentUpdated,
    RolloutChanged,
    SourceType,
)
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters import catalogue_repository
from orders.adapters.tables import audit_log, rollout
from orders.bootstrap import build_service
from orders.domain.order import Order
from orders.domain.routing import Rollout
from orders.domain.states import Cancellation, LineStatus
from orders.handlers.change_rollout import ChangeRollout
from orders.settings import OrdersSettings
from orders.testing import DELIVERY_RING, a_line, an_order, keep
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

OPERATOR = "operator@example.com"


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    return settings.model_copy(update={"operator_email": OPERATOR})


@pytest.fixture
async def replica(settings: OrdersSettings, clock: FixedClock) -> AsyncIterator[ServiceHarness]:
    """A second process on the same database."""
    async with ServiceHarness.start(build_service(settings, clock)) as harness:
        yield harness


@pytest.fixture(autouse=True)
async def full(orders: ServiceHarness, clock: FixedClock) -> None:
    """Kinguin serves all of its products, since this moment."""
    change = ChangeRollout(orders.database, clock, kinguin_enabled=True)
    await change(Rollout(kinguin_enabled=True, percent=100, tester_emails=frozenset()), actor="me")
    clock.advance(1)


def asked(clock: FixedClock, lines: int) -> Order:
    """A paid order whose lines Kinguin was asked for now."""
    kinguin = {"source_type": SourceType.KINGUIN, "kinguin_product_id": "5c9b"}
    order = an_order(*(a_line(**kinguin) for _ in range(lines)))
    order.confirm(clock.now())
    for line in order.lines:
        order.move_line(line, LineStatus.REQUESTED, clock.now())
    return order


async def ready(orders: ServiceHarness, clock: FixedClock, order: Order, number: int) -> None:
    """Keys of the first lines are there now."""
    for line in order.lines[:number]:
        await orders.deliver(
            DeliveryUpdated(
                id=new_id(),
                occurred_at=clock.now(),
                order_id=order.id,
                line_id=line.id,
                delivery_id=new_id(),
                version=1,
                state=DeliveryState.STORED,
                ready_at=clock.now(),
                reveals_left=5,
                expires_at=clock.now() + timedelta(hours=72),
            )
        )


async def percent(orders: ServiceHarness) -> int:
    async with orders.database.transaction() as transaction:
        return (await catalogue_repository.get_rollout(transaction)).percent


async def test_too_few_in_time_take_it_back_once_and_people_are_told(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    order = asked(clock, 50)
    await keep(orders, order)
    clock.advance(minutes=4)
    await ready(orders, clock, order, 49)
    clock.advance(minutes=1)

    for _ in range(5):
        await orders.run_jobs()
        clock.advance(minutes=1)

    assert await percent(orders) == 50
    told = await orders.sent(RolloutChanged)
    assert [message.rollout_percent for message in told] == [100, 50]
    [mail] = await orders.sent(EmailRequested)
    assert DELIVERY_RING.open(mail.to, *mail.to.info).decode() == OPERATOR
    body = json.loads(DELIVERY_RING.open(mail.body, *mail.body.info))
    assert "49 of 50 lines" in body["text"]
    async with orders.database.transaction() as transaction:
        actors = list(await transaction.scalars(sa.select(audit_log.c.actor)))
    assert actors.count("rollout guard") == 1


async def test_replicas_take_one_step(
    orders: ServiceHarness, replica: ServiceHarness, clock: FixedClock
) -> None:
    await keep(orders, asked(clock, 60))
    clock.advance(minutes=5)

    await asyncio.gather(orders.run_jobs(), replica.run_jobs())

    assert await percent(orders) == 50
    assert len(await orders.sent(EmailRequested)) == 1


async def test_lines_count_when_they_had_their_time_or_will_get_no_key(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    order = asked(clock, 51)
    await keep(orders, order)
    clock.advance(minutes=3)
    await orders.run_jobs()
    assert await percent(orders) == 100  # nobody is late yet

    for line in order.lines:
        await orders.deliver(
            FulfillmentUpdated(
                id=new_id(),
                occurred_at=clock.now(),
                order_id=order.id,
                line_id=line.id,
                source_type=SourceType.KINGUIN,
                state=FulfillmentState.FAILED,
                reason="no offer",
            )
        )
    clock.advance(minutes=1)
    await orders.run_jobs()

    assert await percent(orders) == 50


async def test_late_keys_are_no_success(orders: ServiceHarness, clock: FixedClock) -> None:
    order = asked(clock, 50)
    await keep(orders, order)
    clock.advance(minutes=5, seconds=1)
    await ready(orders, clock, order, 50)

    await orders.run_jobs()

    assert await percent(orders) == 50


async def test_all_in_time_or_too_few_or_cancelled_leave_it(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    good, few = asked(clock, 99), asked(clock, 1)
    cancelled = asked(clock, 30)
    for line in cancelled.lines:
        line.cancellation = Cancellation.ASKED
    await keep(orders, good, few, cancelled)
    await ready(orders, clock, good, 99)
    clock.advance(hours=1)

    await orders.run_jobs()

    assert await percent(orders) == 100


async def test_lines_asked_before_the_step_do_not_count_again(
    orders: ServiceHarness, clock: FixedClock
) -> None:
    await keep(orders, asked(clock, 60))
    clock.advance(minutes=5)
    await orders.run_jobs()
    clock.advance(minutes=1)
    await keep(orders, asked(clock, 49))
    clock.advance(hours=1)
    await orders.run_jobs()
    assert await percent(orders) == 50

    await keep(orders, asked(clock, 1))
    clock.advance(minutes=5)
    await orders.run_jobs()

    assert await percent(orders) == 10


async def test_other_testers_are_no_step(orders: ServiceHarness, clock: FixedClock) -> None:
    await keep(orders, asked(clock, 60))
    change = ChangeRollout(orders.database, clock, kinguin_enabled=True)
    testers = frozenset({"a@example.com"})
    wanted = Rollout(kinguin_enabled=True, percent=100, tester_emails=testers)
    await change(wanted, actor="me")
    clock.advance(minutes=5)

    await orders.run_jobs()

    assert await percent(orders) == 50
    async with orders.database.transaction() as transaction:
        assert await transaction.scalar(sa.select(rollout.c.tester_emails)) == ["a@example.com"]


async def test_switched_off_by_the_environment_nothing_is_judged(
    settings: OrdersSettings, orders: ServiceHarness, clock: FixedClock
) -> None:
    await keep(orders, asked(clock, 60))
    clock.advance(minutes=5)
    off = settings.model_copy(update={"kinguin_enabled": False})

    async with ServiceHarness.start(build_service(off, clock)) as other:
        await other.run_jobs()

    assert await percent(orders) == 100
