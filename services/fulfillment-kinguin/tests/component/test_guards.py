"""The guards hold for all replicas: their state is one row, changed with `placing`."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import purchases, supplier_guard
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.errors import Unclear
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    SIGNER,
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

# The fake asks EUR 4.31 a key.
HOUR_CAP = Decimal("30.00")


@pytest.fixture
def settings(settings: KinguinSettings) -> KinguinSettings:
    return settings.model_copy(
        update={"kinguin_spend_cap_hour_eur": HOUR_CAP, "kinguin_spend_cap_day_eur": Decimal(100)}
    )


@pytest.fixture
async def replica(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> AsyncIterator[ServiceHarness]:
    """A second process on the same database."""
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as harness:
        yield harness


async def one(kinguin: ServiceHarness, query: sa.Select[tuple[object]]) -> object:
    async with kinguin.database.transaction() as transaction:
        return await transaction.scalar(query)


async def test_replicas_together_never_spend_more_than_the_cap(
    kinguin: ServiceHarness, replica: ServiceHarness, supplier: FakeSupplier
) -> None:
    for _ in range(8):
        await kinguin.deliver(a_request(1))

    await asyncio.gather(kinguin.run_jobs(), replica.run_jobs())

    spent = sum(order.price_charged for order in supplier.ledger)
    assert spent == Decimal("25.86")  # six keys; a seventh would pass EUR 30
    states = await purchase_states(kinguin)
    assert states.count("planned") == 2
    assert (await answers(kinguin)).count(FulfillmentState.DELAYED) == 2


async def test_what_waits_at_the_cap_goes_on_by_itself_when_the_hour_is_over(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    for _ in range(8):
        await kinguin.deliver(a_request(1))
    await work(kinguin, clock)
    assert len(supplier.ledger) == 6

    await work(kinguin, clock, seconds=3700)

    assert len(supplier.ledger) == 8


async def test_a_refused_order_gives_its_share_of_the_cap_back(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal(0))
    await kinguin.deliver(a_request(4))
    await work(kinguin, clock)

    total = sa.select(sa.func.sum(purchases.c.committed_eur))
    assert await one(kinguin, total) is None


async def test_the_rate_that_was_used_is_kept_with_the_purchase(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    await kinguin.deliver(a_request(1))
    await work(kinguin, clock)

    assert await one(kinguin, sa.select(purchases.c.eur_usd_rate)) == Decimal("1.10")


async def test_after_five_failures_nobody_is_asked_until_one_has_tried(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = Unclear("no answer")
    for _ in range(4):
        await kinguin.deliver(a_request(1))
    await kinguin.run_jobs()
    supplier.errors["product"] = Unclear("no answer")
    await kinguin.deliver(a_request(1))
    await kinguin.run_jobs()
    assert await one(kinguin, sa.select(supplier_guard.c.open_until)) is not None

    supplier.errors.clear()
    asked = supplier.calls["place"]
    await kinguin.deliver(a_request(1))
    await kinguin.run_jobs()
    assert supplier.calls["place"] == asked

    await work(kinguin, clock, seconds=31)
    await work(kinguin, clock, seconds=31)
    assert supplier.calls["place"] > asked
    assert await one(kinguin, sa.select(supplier_guard.c.open_until)) is None
