"""Every consumer of delivery under the rules of all consumers."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    DeliveryUpdated,
    EmailRequested,
    KeyReady,
    OrderCancelled,
    Topic,
)
from contracts.testing import an_order_cancelled
from delivery.adapters.tables import deliveries, mails
from delivery.testing import a_mail_request, some_keys
from servicekit.consumer_rules import ConsumerCase, ConsumerRules
from servicekit.testing import ServiceHarness


async def progress(service: ServiceHarness) -> tuple[list[str], list[DeliveryState]]:
    """The state of the delivery, and what orders was told."""
    async with service.database.transaction() as transaction:
        states = list(await transaction.scalars(sa.select(deliveries.c.state)))
    return states, [message.state for message in await service.sent(DeliveryUpdated)]


async def mails_sent(service: ServiceHarness) -> list[tuple[str, str]]:
    async with service.database.transaction() as transaction:
        rows = await transaction.execute(sa.select(mails.c.kind, mails.c.state))
        return [(row.kind, row.state) for row in rows]


async def keys(_service: ServiceHarness) -> KeyReady:
    return some_keys("AAAA-1")


async def cancellation(service: ServiceHarness) -> OrderCancelled:
    message = some_keys("AAAA-1")
    await service.deliver(message)
    await service.run_jobs()
    return an_order_cancelled(order_id=message.order_id, line_ids=(message.line_id,))


async def other_mail(_service: ServiceHarness) -> EmailRequested:
    return a_mail_request("session-1")


class TestConsumers(ConsumerRules):
    cases = (
        ConsumerCase(
            Topic.KEY_READY,
            keys,
            progress,
            (["mailed"], [DeliveryState.STORED, DeliveryState.MAILED]),
            last_write="jobs",
        ),
        ConsumerCase(
            Topic.ORDER_CANCELLED,
            cancellation,
            progress,
            (["voided"], [DeliveryState.STORED, DeliveryState.MAILED, DeliveryState.VOIDED]),
            last_write="outbox",
        ),
        ConsumerCase(
            Topic.EMAIL_REQUESTED,
            other_mail,
            mails_sent,
            [("sign_in_code", "sent")],
            last_write="jobs",
            flags_order=False,
        ),
    )

    @pytest.fixture
    def service(self, delivery: ServiceHarness) -> ServiceHarness:
        return delivery

    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        told = (await service.sent(DeliveryUpdated))[-1]
        return (told.order_id, told.state) == (order_id, DeliveryState.NEEDS_ATTENTION)
