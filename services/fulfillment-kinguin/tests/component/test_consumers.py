"""Every consumer of fulfillment-kinguin under the rules of all consumers."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    DeliveryUpdated,
    FulfillmentRequestedKinguin,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    OrderCancelled,
    ProductUpdated,
    RolloutChanged,
    Topic,
)
from contracts.testing import (
    a_delivery_updated,
    a_product_updated,
    a_rollout_changed,
    an_order_cancelled,
)
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import followed_offers, purchases, rollout
from fulfillment_kinguin.testing import a_request, answers, work
from servicekit.consumer_rules import ConsumerCase, ConsumerRules
from servicekit.testing import ServiceHarness


async def progress(
    service: ServiceHarness,
) -> tuple[list[tuple[str, int]], int, list[FulfillmentState]]:
    """State and number of POSTs of each purchase, lines with keys, and what orders was told."""
    async with service.database.transaction() as transaction:
        rows = await transaction.execute(sa.select(purchases.c.state, purchases.c.posts))
        bought = [(row.state, row.posts) for row in rows]
    return bought, len(await service.sent(KeyReady)), await answers(service)


async def switch(service: ServiceHarness) -> list[tuple[bool, int]]:
    async with service.database.transaction() as transaction:
        rows = await transaction.execute(sa.select(rollout.c.kinguin_enabled, rollout.c.version))
        return [(row.kinguin_enabled, row.version) for row in rows]


async def request(_service: ServiceHarness) -> FulfillmentRequestedKinguin:
    return a_request()


async def late_cancellation(service: ServiceHarness) -> OrderCancelled:
    line = a_request()
    await service.deliver(line)
    clock = service.service.clock
    assert isinstance(clock, FixedClock)
    await work(service, clock)
    return an_order_cancelled(order_id=line.order_id, line_ids=(line.line_id,))


async def voided_unseen(service: ServiceHarness) -> DeliveryUpdated:
    cancellation = await late_cancellation(service)
    return a_delivery_updated(
        order_id=cancellation.order_id,
        line_id=cancellation.line_ids[0],
        state=DeliveryState.VOIDED,
        revealed=False,
    )


async def switched_off(_service: ServiceHarness) -> RolloutChanged:
    return a_rollout_changed(kinguin_enabled=False, version=3)


async def offers(service: ServiceHarness) -> list[tuple[str, int]]:
    async with service.database.transaction() as transaction:
        query = sa.select(followed_offers.c.kinguin_product_id, followed_offers.c.version)
        return [(row.kinguin_product_id, row.version) for row in await transaction.execute(query)]


async def product_on_sale(_service: ServiceHarness) -> ProductUpdated:
    return a_product_updated(kinguin_product_id="p1", version=4)


class TestConsumers(ConsumerRules):
    cases = (
        ConsumerCase(
            Topic.FULFILLMENT_REQUESTED_KINGUIN,
            request,
            progress,
            ([("placed", 1)], 0, []),
            last_write="jobs",
        ),
        ConsumerCase(
            Topic.ORDER_CANCELLED,
            late_cancellation,
            progress,
            ([("keys_ready", 1)], 1, [FulfillmentState.TOO_LATE]),
            last_write="outbox",
        ),
        ConsumerCase(
            Topic.DELIVERY_UPDATED,
            voided_unseen,
            progress,
            ([("return_requested", 1)], 1, []),
            last_write="jobs",
        ),
        ConsumerCase(
            Topic.ROLLOUT_CHANGED,
            switched_off,
            switch,
            [(False, 3)],
            last_write="rollout",
            flags_order=False,
        ),
        ConsumerCase(
            Topic.PRODUCT_UPDATED,
            product_on_sale,
            offers,
            [("p1", 4)],
            last_write="followed_offers",
            flags_order=False,
        ),
    )

    @pytest.fixture
    def service(self, kinguin: ServiceHarness) -> ServiceHarness:
        return kinguin

    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        told = (await service.sent(FulfillmentUpdated))[-1]
        return (told.order_id, told.state) == (order_id, FulfillmentState.NEEDS_ATTENTION)
