"""Every consumer of orders under the rules of all consumers."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    DeliveryUpdated,
    FulfillmentState,
    FulfillmentUpdated,
    OfferUpdated,
    PaymentConfirmed,
    PaymentState,
    PaymentUpdated,
    StockUpdated,
    Topic,
)
from contracts.testing import (
    a_delivery_updated,
    a_fulfillment_updated,
    a_payment_confirmed,
    a_payment_updated,
    a_stock_level,
    a_stock_updated,
    an_offer_updated,
)
from orders.adapters.tables import kinguin_offers, order_history, order_items, orders, products
from orders.testing import a_paid_order, a_product, an_order, keep
from persistence.tables import outbox
from servicekit.consumer_rules import ConsumerCase, ConsumerRules
from servicekit.testing import ServiceHarness


async def progress(service: ServiceHarness) -> tuple[list[str], list[str], list[str], int]:
    """The status of the order and its line, what was sent, and the rows of history."""
    async with service.database.transaction() as transaction:
        return (
            list(await transaction.scalars(sa.select(orders.c.status))),
            list(await transaction.scalars(sa.select(order_items.c.status))),
            list(await transaction.scalars(sa.select(outbox.c.topic))),
            len((await transaction.execute(sa.select(order_history))).all()),
        )


async def free_keys(service: ServiceHarness) -> list[int]:
    async with service.database.transaction() as transaction:
        return list(await transaction.scalars(sa.select(products.c.free_stock)))


async def payment_seen(service: ServiceHarness) -> PaymentUpdated:
    order = an_order()
    await keep(service, order)
    return a_payment_updated(order_id=order.id, state=PaymentState.CONFIRMING)


async def money_in(service: ServiceHarness) -> PaymentConfirmed:
    order = an_order()
    await keep(service, order)
    return a_payment_confirmed(order_id=order.id)


async def line_delayed(service: ServiceHarness) -> FulfillmentUpdated:
    order = a_paid_order()
    await keep(service, order)
    return a_fulfillment_updated(
        order_id=order.id, line_id=order.lines[0].id, state=FulfillmentState.DELAYED
    )


async def key_stored(service: ServiceHarness) -> DeliveryUpdated:
    order = a_paid_order()
    await keep(service, order)
    return a_delivery_updated(
        order_id=order.id, line_id=order.lines[0].id, state=DeliveryState.STORED
    )


async def stock_counted(service: ServiceHarness) -> StockUpdated:
    product = a_product()
    await keep(service, product)
    return a_stock_updated(level=a_stock_level(product_id=product.id, free=7))


async def offers(service: ServiceHarness) -> list[tuple[str, int]]:
    async with service.database.transaction() as transaction:
        query = sa.select(kinguin_offers.c.kinguin_product_id, kinguin_offers.c.quantity)
        return [(row.kinguin_product_id, row.quantity) for row in await transaction.execute(query)]


async def offer_seen(_service: ServiceHarness) -> OfferUpdated:
    return an_offer_updated(kinguin_product_id="p1", quantity=7)


class TestConsumers(ConsumerRules):
    cases = (
        ConsumerCase(
            Topic.PAYMENT_UPDATED,
            payment_seen,
            progress,
            (["confirming"], ["waiting"], [], 1),
            last_write="order_history",
        ),
        ConsumerCase(
            Topic.PAYMENT_CONFIRMED,
            money_in,
            progress,
            (["fulfilling"], ["requested"], ["fulfillment.requested.custom"], 3),
            last_write="order_history",
        ),
        ConsumerCase(
            Topic.FULFILLMENT_UPDATED,
            line_delayed,
            progress,
            (["fulfilling"], ["delayed"], [], 4),
            last_write="order_history",
        ),
        ConsumerCase(
            Topic.DELIVERY_UPDATED,
            key_stored,
            progress,
            (["fulfilling"], ["stored"], [], 4),
            last_write="order_history",
        ),
        ConsumerCase(
            Topic.STOCK_UPDATED,
            stock_counted,
            free_keys,
            [7],
            last_write="products",
            flags_order=False,
        ),
        ConsumerCase(
            Topic.OFFER_UPDATED,
            offer_seen,
            offers,
            [("p1", 7)],
            last_write="kinguin_offers",
            flags_order=False,
        ),
    )

    @pytest.fixture
    def service(self, orders: ServiceHarness) -> ServiceHarness:
        return orders

    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        async with service.database.transaction() as transaction:
            query = sa.select(orders.c.attention).where(orders.c.id == order_id)
            [reason] = await transaction.scalar(query) or [""]
        return str(reason).startswith("dead letter")
