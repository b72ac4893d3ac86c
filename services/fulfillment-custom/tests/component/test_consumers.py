"""Every consumer of own stock under the rules of all consumers."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    FulfillmentRequestedCustom,
    FulfillmentState,
    FulfillmentUpdated,
    OrderCancelled,
    OrderPlaced,
    StockReturned,
    Topic,
)
from contracts.testing import (
    a_fulfillment_requested_custom,
    a_placed_line,
    a_sealed_key,
    a_stock_returned,
    an_order_cancelled,
    an_order_placed,
)
from fulfillment_custom.adapters import stock_repository
from fulfillment_custom.adapters.tables import lines, stock_keys
from fulfillment_custom.testing import NOW
from persistence.tables import outbox
from servicekit.consumer_rules import ConsumerCase, ConsumerRules
from servicekit.testing import ServiceHarness


async def progress(service: ServiceHarness) -> tuple[list[str], list[str], list[str]]:
    """The states of lines and keys, and what was sent."""
    async with service.database.transaction() as transaction:
        return (
            list(await transaction.scalars(sa.select(lines.c.state))),
            list(await transaction.scalars(sa.select(stock_keys.c.state))),
            list(await transaction.scalars(sa.select(outbox.c.topic).order_by(outbox.c.seq))),
        )


async def a_waiting_line(service: ServiceHarness) -> FulfillmentRequestedCustom:
    request = a_fulfillment_requested_custom()
    await service.deliver(request)
    return request


async def request(service: ServiceHarness) -> FulfillmentRequestedCustom:
    message = a_fulfillment_requested_custom()
    async with service.database.transaction() as transaction:
        await stock_repository.lock_product(transaction, message.product_id)
        await stock_repository.add_keys(
            transaction, message.product_id, [a_sealed_key()], origin="upload"
        )
    return message


async def placed(service: ServiceHarness) -> OrderPlaced:
    line = a_placed_line(product_id=(await request(service)).product_id)
    return an_order_placed(lines=(line,), expires_at=NOW + timedelta(hours=1))


async def cancellation(service: ServiceHarness) -> OrderCancelled:
    line = await a_waiting_line(service)
    return an_order_cancelled(order_id=line.order_id, line_ids=(line.line_id,))


async def returned_key(service: ServiceHarness) -> StockReturned:
    return a_stock_returned(product_id=(await a_waiting_line(service)).product_id)


_DELAYED = ["stock.updated", "fulfillment.updated"]
"""What a line that waits has sent before."""


class TestConsumers(ConsumerRules):
    cases = (
        ConsumerCase(
            Topic.ORDER_PLACED,
            placed,
            progress,
            ([], ["reserved"], ["stock.updated", "stock.updated"]),
            last_write="outbox",
        ),
        ConsumerCase(
            Topic.FULFILLMENT_REQUESTED_CUSTOM,
            request,
            progress,
            (["assigned"], ["assigned"], ["key.ready", "stock.updated"]),
            last_write="outbox",
        ),
        ConsumerCase(
            Topic.ORDER_CANCELLED,
            cancellation,
            progress,
            (["released"], [], [*_DELAYED, "fulfillment.updated", "stock.updated"]),
            last_write="outbox",
        ),
        ConsumerCase(
            Topic.STOCK_RETURNED,
            returned_key,
            progress,
            (["assigned"], ["assigned"], [*_DELAYED, "key.ready", "stock.updated"]),
            last_write="outbox",
        ),
    )

    @pytest.fixture
    def service(self, stock: ServiceHarness) -> ServiceHarness:
        return stock

    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        told = (await service.sent(FulfillmentUpdated))[-1]
        return (told.order_id, told.state) == (order_id, FulfillmentState.NEEDS_ATTENTION)
