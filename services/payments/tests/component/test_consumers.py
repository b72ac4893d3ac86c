"""Every consumer of payments under the rules of all consumers."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    OrderCancelled,
    OrderPlaced,
    PaymentAccepted,
    PaymentState,
    PaymentUpdated,
    Topic,
)
from contracts.testing import a_payment_accepted, an_order_cancelled
from payments.adapters.tables import invoices
from payments.testing import an_ipn, an_order, signed
from servicekit.consumer_rules import ConsumerCase, ConsumerRules
from servicekit.testing import ServiceHarness


async def progress(service: ServiceHarness) -> tuple[list[str], list[PaymentState]]:
    """The state of the invoice, and what orders was told."""
    async with service.database.transaction() as transaction:
        states = list(await transaction.scalars(sa.select(invoices.c.state)))
    return states, [message.state for message in await service.sent(PaymentUpdated)]


async def order(_service: ServiceHarness) -> OrderPlaced:
    return an_order()


async def cancellation(service: ServiceHarness) -> OrderCancelled:
    placed = an_order()
    await service.deliver(placed)
    await service.run_jobs()
    return an_order_cancelled(order_id=placed.order_id)


async def acceptance(service: ServiceHarness) -> PaymentAccepted:
    placed = an_order()
    await service.deliver(placed)
    await service.run_jobs()
    body = an_ipn(placed.order_id, "partially_paid", actually_paid=9)
    await service.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await service.run_jobs()
    return a_payment_accepted(order_id=placed.order_id)


class TestConsumers(ConsumerRules):
    cases = (
        ConsumerCase(
            Topic.ORDER_PLACED,
            order,
            progress,
            (["invoiced"], [PaymentState.INVOICE_READY]),
            last_write="jobs",
        ),
        ConsumerCase(
            Topic.ORDER_CANCELLED,
            cancellation,
            progress,
            (["cancelled"], [PaymentState.INVOICE_READY]),
            last_write="history",
        ),
        ConsumerCase(
            Topic.PAYMENT_ACCEPTED,
            acceptance,
            progress,
            (["settled"], [PaymentState.INVOICE_READY, PaymentState.PARTIALLY_PAID]),
            last_write="history",
        ),
    )

    @pytest.fixture
    def service(self, payments: ServiceHarness) -> ServiceHarness:
        return payments

    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        told = (await service.sent(PaymentUpdated))[-1]
        return (told.order_id, told.state) == (order_id, PaymentState.NEEDS_ATTENTION)
