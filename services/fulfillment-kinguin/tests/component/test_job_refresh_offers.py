"""Followed offers are looked at in batches, and orders hears what changed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import FulfillmentUpdated, OfferUpdated, ProductUpdated
from contracts.testing import a_product_updated, a_uuid
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import exchange_rates, followed_offers
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.errors import NotSupported, Unclear
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    OFFER_ID,
    PRODUCT_ID,
    SIGNER,
    WEBHOOK_SECRET,
    FakeSupplier,
)
from persistence.tables import jobs
from servicekit.dead_letters import RETRY_DELAYS
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

PRODUCT = a_uuid()


def on_sale(version: int = 1, **fields: Any) -> ProductUpdated:
    """The one product of the fake, which asks EUR 4.31 a key."""
    ids = {"kinguin_product_id": PRODUCT_ID, "kinguin_offer_id": OFFER_ID}
    return a_product_updated(**{"product_id": PRODUCT, "version": version, **ids, **fields})


async def one(kinguin: ServiceHarness, query: sa.Select[Any]) -> Any:
    async with kinguin.database.transaction() as transaction:
        return await transaction.scalar(query)


async def told(kinguin: ServiceHarness) -> list[tuple[str | None, str | None, int]]:
    """Price, cost and quantity of each message so far."""
    return [
        (
            None if m.price is None else f"{m.price.amount:.2f}",
            None if m.cost_usd is None else f"{m.cost_usd:.3f}",
            m.quantity,
        )
        for m in await kinguin.sent(OfferUpdated)
    ]


async def later(kinguin: ServiceHarness, clock: FixedClock, seconds: float = 300) -> None:
    clock.advance(seconds)
    await kinguin.run_jobs()


@pytest.fixture
async def followed(kinguin: ServiceHarness) -> ServiceHarness:
    """A product that is followed and was looked at once."""
    await kinguin.run_jobs()
    await kinguin.deliver(on_sale())
    await kinguin.run_jobs()
    return kinguin


async def test_new_product_is_looked_at_and_told_at_once(
    followed: ServiceHarness, clock: FixedClock
) -> None:
    [message] = await followed.sent(OfferUpdated)

    assert (message.kinguin_product_id, message.kinguin_offer_id) == (PRODUCT_ID, OFFER_ID)
    assert message.seen_at == clock.now()
    assert await told(followed) == [("4.31", "4.741", 100)]


async def test_what_has_not_changed_is_told_once_an_hour(
    followed: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    for _ in range(12):
        await later(followed, clock)

    assert supplier.calls["products_by_ids"] == 13
    first, again = await followed.sent(OfferUpdated)
    assert again.seen_at - first.seen_at == timedelta(hours=1)


async def test_each_change_is_told_once(
    followed: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    for faults in ({"price_factor": Decimal(2)}, {"stock": 3}, {"off_sale": True}, {}):
        supplier.set_faults(**faults)
        await later(followed, clock)
        await later(followed, clock)

    assert (await told(followed))[1:] == [
        ("8.62", "9.482", 100),
        ("4.31", "4.741", 3),
        (None, None, 0),
        ("4.31", "4.741", 100),
    ]


async def test_failure_leaves_what_is_known_and_asks_again_when_it_may(
    followed: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["products_by_ids"] = Unclear("HTTP 429", retry_after_s=120)
    await later(followed, clock)
    before = await one(followed, sa.select(followed_offers.c.seen_at))
    await later(followed, clock, 119)
    supplier.errors.clear()

    await later(followed, clock, 1)

    assert supplier.calls["products_by_ids"] == 3
    assert await one(followed, sa.select(followed_offers.c.seen_at)) - before == timedelta(
        seconds=420
    )
    assert len(await told(followed)) == 1


async def test_more_than_a_hundred_are_asked_for_in_several_requests_at_once(
    kinguin: ServiceHarness, supplier: FakeSupplier
) -> None:
    others = [on_sale(product_id=a_uuid(), kinguin_product_id=f"{n:024x}") for n in range(120)]
    await kinguin.deliver(*others)

    await kinguin.run_jobs()

    assert [len(asked) for asked in supplier.asked_for] == [100, 20]
    assert await told(kinguin) == [(None, None, 0)] * 120


async def test_id_that_kinguin_refuses_hides_no_other_offer(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    unreadable = on_sale(product_id=a_uuid(), kinguin_product_id="no id")
    others = [on_sale(product_id=a_uuid(), kinguin_product_id=f"{n:024x}") for n in range(5)]
    await kinguin.deliver(*others, unreadable, on_sale())

    await kinguin.run_jobs()

    assert {m.kinguin_product_id for m in await kinguin.sent(OfferUpdated)} == {
        PRODUCT_ID,
        *(message.kinguin_product_id for message in others),
    }
    calls = supplier.calls["products_by_ids"]
    await later(kinguin, clock, 299)
    assert supplier.calls["products_by_ids"] == calls


async def test_product_that_is_not_sold_any_more_is_not_asked_for(
    followed: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await followed.deliver(on_sale(3, on_sale=False))
    await followed.deliver(on_sale(2))

    await later(followed, clock)

    assert supplier.calls["products_by_ids"] == 1


async def test_product_with_another_offer_is_told_anew(
    followed: ServiceHarness, clock: FixedClock
) -> None:
    await followed.deliver(on_sale(2, kinguin_offer_id=None))

    await later(followed, clock, 0)

    assert [m.kinguin_offer_id for m in await followed.sent(OfferUpdated)] == [OFFER_ID, None]


async def test_change_while_kinguin_is_asked_wins(
    settings: KinguinSettings, clock: FixedClock
) -> None:
    class Interrupted(FakeSupplier):
        async def products_by_ids(self, product_ids: Any) -> Any:
            if not self.calls["products_by_ids"]:
                await harness.deliver(on_sale(2, kinguin_offer_id=None))
            return await super().products_by_ids(product_ids)

    service = build_service(settings, clock, SIGNER.static_jwks(), Interrupted())
    async with ServiceHarness.start(service) as harness:
        await harness.deliver(on_sale())
        await harness.run_jobs()

        assert [m.kinguin_offer_id for m in await harness.sent(OfferUpdated)] == [None]


async def test_without_a_young_rate_the_cost_is_not_known(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    ecb = {"kinguin_rate_source": "ecb", "kinguin_ecb_url": "http://127.0.0.1:9/"}
    service = build_service(settings.model_copy(update=ecb), clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as harness:
        await harness.deliver(on_sale())
        await harness.run_jobs()
        rate = {"rate": 2, "rated_at": clock.now(), "source": "ecb", "heard_at": clock.now()}
        async with harness.database.transaction() as transaction:
            await transaction.execute(sa.insert(exchange_rates).values(currency="USD", **rate))
        await later(harness, clock)

        assert await told(harness) == [("4.31", None, 100), ("4.31", "8.620", 100)]


async def test_dialect_without_products_is_asked_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["products_by_ids"] = NotSupported("use esa")
    await kinguin.deliver(on_sale())

    for _ in range(3):
        await later(kinguin, clock)

    assert supplier.calls["products_by_ids"] == 1


async def test_switched_off_nobody_is_asked_and_no_job_stays(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    off = settings.model_copy(update={"kinguin_enabled": False})
    service = build_service(off, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as harness:
        await harness.deliver(on_sale())
        await harness.run_jobs()

        assert supplier.calls["products_by_ids"] == 0
        assert await one(harness, sa.select(sa.func.count()).select_from(jobs)) == 0


@pytest.mark.parametrize(
    ("event", "seconds", "asked"),
    [
        ({"productId": PRODUCT_ID, "kinguinId": 1001, "qty": 0}, 60, 2),
        ({"productId": PRODUCT_ID}, 9, 1),
        ({"productId": "5c9b5c9b5c9b5c9b5c9b0002", "kinguinId": 1002}, 60, 1),
        ({"productId": "\x00"}, 60, 1),
        ({"productId": 7}, 60, 1),
    ],
)
async def test_notice_of_a_followed_product_brings_the_next_look_forward(
    followed: ServiceHarness,
    clock: FixedClock,
    supplier: FakeSupplier,
    event: dict[str, object],
    seconds: float,
    asked: int,
) -> None:
    clock.advance(seconds)
    headers = {"X-Event-Name": "product.update", "X-Event-Secret": WEBHOOK_SECRET}

    answer = await followed.http.post("/webhooks/kinguin", json=event, headers=headers)

    await followed.run_jobs()
    assert answer.status_code == 204
    assert supplier.calls["products_by_ids"] == asked


async def test_letter_about_a_product_is_told_of_no_order(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    message = on_sale()

    await kinguin.deliver_raw(message.topic, b'{"type": "unknown.v9"}', key=message.key.encode())
    clock.advance(RETRY_DELAYS[0].total_seconds() + 1)
    await kinguin.run_jobs()

    assert await kinguin.sent(FulfillmentUpdated) == []
