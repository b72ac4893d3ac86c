"""The balance is heard every minute, nothing dearer is tried, and a top-up lets lines go on."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState, FulfillmentUpdated, KeyReady
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import purchases, supplier_guard
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.errors import InsufficientBalance, NotSupported, Unclear
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    SIGNER,
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from persistence.tables import jobs
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

S = FulfillmentState
# The fake asks EUR 4.31 a key.


async def one(kinguin: ServiceHarness, query: sa.Select[Any]) -> object:
    async with kinguin.database.transaction() as transaction:
        return await transaction.scalar(query)


async def test_what_the_account_cannot_pay_is_not_even_tried(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal("8.61"))
    await kinguin.deliver(a_request(2))

    await work(kinguin, clock)

    [told] = await kinguin.sent(FulfillmentUpdated)
    assert (told.state, told.reason) == (S.DELAYED, "balance")
    assert await one(kinguin, sa.select(purchases.c.waits_for)) == "balance"
    assert await purchase_states(kinguin) == ["planned"]
    assert supplier.calls["place"] == 0


async def test_after_a_top_up_it_goes_on_within_a_minute(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal(1))
    await kinguin.deliver(a_request())
    await work(kinguin, clock, 30)
    supplier.set_faults(balance=Decimal(100))

    await work(kinguin, clock, 30)
    await work(kinguin, clock)

    assert len(await kinguin.sent(KeyReady)) == len(supplier.ledger) == 1
    assert await one(kinguin, sa.select(purchases.c.waits_for)) is None


async def test_replicas_spend_from_one_balance(
    kinguin: ServiceHarness, settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal(13))
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as replica:
        await kinguin.run_jobs()
        clock.advance(1)
        for _ in range(6):
            await kinguin.deliver(a_request())

        await asyncio.gather(kinguin.run_jobs(), replica.run_jobs())

    assert len(supplier.ledger) == supplier.calls["place"] == 3
    assert (await answers(kinguin)).count(S.DELAYED) == 3


async def test_order_on_its_way_while_the_balance_is_told_is_taken_off_it(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = Unclear("no answer: it arrives later")
    await kinguin.deliver(a_request(2))
    await kinguin.run_jobs()
    supplier.errors.clear()
    supplier.set_faults(balance=Decimal(10))
    supplier.errors["orders_of"] = Unclear("no answer")
    await work(kinguin, clock, 60)

    await kinguin.deliver(a_request())
    await work(kinguin, clock, 0)

    assert supplier.calls["place"] == 1
    assert (await answers(kinguin)) == [S.DELAYED]


async def test_order_that_never_arrived_does_not_stand_in_its_own_way(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal(10))
    supplier.errors["place"] = Unclear("no answer: ConnectError")
    await kinguin.deliver(a_request(2))
    await kinguin.run_jobs()
    supplier.errors.clear()

    for _ in range(4):
        await work(kinguin, clock, 60)

    assert len(supplier.ledger) == 1


async def test_balance_that_kinguin_refuses_is_not_believed_until_it_is_heard_anew(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.run_jobs()
    supplier.errors["place"] = InsufficientBalance("spent elsewhere")
    await kinguin.deliver(a_request())
    await work(kinguin, clock)
    supplier.errors.clear()
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    assert supplier.calls["place"] == 1

    await work(kinguin, clock, 60)
    await work(kinguin, clock)

    assert len(supplier.ledger) == 2


async def test_figure_that_is_old_holds_nothing_back(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal(1))
    await kinguin.run_jobs()
    supplier.set_faults(balance=Decimal(100))
    supplier.errors["balance"] = Unclear("no answer")
    clock.advance(minutes=11)
    await kinguin.deliver(a_request())

    await work(kinguin, clock)

    assert len(supplier.ledger) == 1


async def test_dialect_that_does_not_tell_is_asked_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["balance"] = NotSupported("use esa")

    for _ in range(3):
        await work(kinguin, clock, 60)

    assert supplier.calls["balance"] == 1


@pytest.fixture
async def switched_off(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> AsyncIterator[ServiceHarness]:
    off = settings.model_copy(update={"kinguin_enabled": False})
    service = build_service(off, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as harness:
        yield harness


async def test_switched_off_nobody_is_asked_and_no_job_stays(
    kinguin: ServiceHarness, switched_off: ServiceHarness, supplier: FakeSupplier
) -> None:
    await switched_off.run_jobs()

    assert supplier.calls["balance"] == 0
    assert await one(kinguin, sa.select(sa.func.count()).select_from(jobs)) == 0
    assert await one(kinguin, sa.select(supplier_guard.c.balance_eur)) is None
