"""Notifications that are taken up together: each has its own effect, in the order they came."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import OrderPlaced, PaymentConfirmed
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.tables import ipns
from payments.handlers.apply_ipn import ApplyIpn
from payments.handlers.apply_news import ApplyNews
from payments.handlers.jobs import APPLY_IPN
from payments.handlers.owe_back import OweBack
from payments.testing import FakeGateway, an_ipn, notify
from servicekit.jobs import Job
from servicekit.testing import ServiceHarness

STATUSES = ("waiting", "confirming", "confirmed", "sending", "finished")


async def effects(payments: ServiceHarness) -> list[str | None]:
    async with payments.database.transaction() as transaction:
        return list(await transaction.scalars(sa.select(ipns.c.effect).order_by(ipns.c.id)))


@pytest.mark.parametrize(
    ("way", "found"),
    [
        (STATUSES, ["reported"] * 4 + ["confirming"]),
        (STATUSES[::-1], ["confirming"] + ["older"] * 4),
        (("finished", "waiting", "finished"), ["confirming", "older", "duplicate"]),
    ],
)
async def test_all_that_came_of_a_payment_is_applied_in_one_go_as_it_came(
    payments: ServiceHarness,
    gateway: FakeGateway,
    order: OrderPlaced,
    way: tuple[str, ...],
    found: list[str],
) -> None:
    gateway.put(order.order_id)
    await notify(payments, *(an_ipn(order.order_id, status) for status in way))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await effects(payments) == found


async def test_notifications_of_two_orders_of_one_payment_are_kept_apart(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced
) -> None:
    unknown = new_id()
    gateway.put(order.order_id)
    await notify(payments, an_ipn(unknown), an_ipn(order.order_id), an_ipn(unknown, "refunded"))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert await effects(payments) == [None, "confirming", None]


async def test_one_that_cannot_be_applied_does_not_hold_up_the_others(
    payments: ServiceHarness, gateway: FakeGateway, order: OrderPlaced, clock: FixedClock
) -> None:
    gateway.put(order.order_id)
    await notify(payments, *(an_ipn(order.order_id, status) for status in STATUSES))
    async with payments.database.transaction() as transaction:
        await transaction.execute(
            sa.update(ipns).where(ipns.c.status == "confirming").values(body=b"not readable")
        )

    await payments.run_jobs()
    clock.advance(60)
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1
    assert [effect is None for effect in await effects(payments)] == [False, True, *[False] * 3]


def job_of(ipn_id: UUID) -> Job:
    return Job(APPLY_IPN, str(ipn_id), {}, 1, 0, new_id(), None)


async def test_two_replicas_that_take_up_the_same_payment_apply_it_once(
    payments: ServiceHarness, order: OrderPlaced, clock: FixedClock
) -> None:
    await notify(payments, an_ipn(order.order_id, "waiting"), an_ipn(order.order_id, "sending"))
    async with payments.database.transaction() as transaction:
        first, second = await transaction.scalars(sa.select(ipns.c.id).order_by(ipns.c.id))
    handler = ApplyIpn(ApplyNews(OweBack(clock, Decimal(1)), clock), clock)
    settle_first, settle_second = await handler(job_of(first)), await handler(job_of(second))

    async def replica() -> None:
        async with payments.database.transaction() as transaction:
            assert await settle_second(transaction) is None

    async with payments.database.transaction() as transaction:
        assert await settle_first(transaction) is None
        other = asyncio.create_task(replica())
        await asyncio.sleep(0.3)  # it has found its notification open, and waits for the order
        assert not other.done()
    await other

    assert await effects(payments) == ["reported", "reported"]
