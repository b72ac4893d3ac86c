"""Polling: the durable schedule, and what each end of an order means."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState, FulfillmentUpdated, KeyReady, StockReturned
from foundation.sealing import open_game_key
from foundation.testing import FixedClock
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.errors import NotFound, Unclear
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    DELIVERY_RING,
    SIGNER,
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from persistence.tables import jobs
from servicekit.testing import ServiceHarness

S = FulfillmentState
GIVEN = [2, 4, 8, 16, 30, 30, 30, 30, 30, 30]


async def seconds_to_next_poll(kinguin: ServiceHarness, clock: FixedClock) -> float | None:
    async with kinguin.database.transaction() as transaction:
        due_at = await transaction.scalar(sa.select(jobs.c.due_at).where(jobs.c.kind == "poll"))
    return None if due_at is None else (due_at - clock.now()) / timedelta(seconds=1)


async def waits(kinguin: ServiceHarness, clock: FixedClock, polls: int) -> list[float]:
    """The next waits, each one waited for and its poll run."""
    seen: list[float] = []
    for _ in range(polls):
        wait = await seconds_to_next_poll(kinguin, clock)
        assert wait is not None
        seen.append(wait)
        await work(kinguin, clock, wait)
    return seen


async def test_order_is_polled_ten_times_then_every_five_minutes(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(stuck=True)
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()

    assert await waits(kinguin, clock, 9) == GIVEN[:9]
    assert await answers(kinguin) == []
    assert await waits(kinguin, clock, 3) == [30, 300, 300]

    assert await answers(kinguin) == [S.DELAYED]
    assert await purchase_states(kinguin) == ["slow"]


async def test_schedule_goes_on_where_it_was_after_a_restart(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(polls_until_ready=6)
    first = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(first) as kinguin:
        await kinguin.deliver(a_request())
        await kinguin.run_jobs()
        before = await waits(kinguin, clock, 3)
        await first.database.dispose()

    second = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(second) as kinguin:
        after = await waits(kinguin, clock, 3)

        assert before + after == GIVEN[:6]
        assert len(await kinguin.sent(KeyReady)) == len(supplier.ledger) == 1


async def test_order_without_keys_for_a_day_is_for_a_person_and_never_dropped(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(stuck=True)
    await kinguin.deliver(a_request())
    for _ in range(12):
        await work(kinguin, clock, 30)

    await work(kinguin, clock, 24 * 3600)

    assert await answers(kinguin) == [S.DELAYED, S.NEEDS_ATTENTION]
    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await seconds_to_next_poll(kinguin, clock) is None


async def test_errors_of_a_poll_count_and_do_not_end_it(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    supplier.errors["order"] = Unclear("HTTP 500")
    assert await waits(kinguin, clock, 2) == [2, 4]
    supplier.errors["order"] = NotFound("OrderNotFound")
    assert await waits(kinguin, clock, 1) == [8]
    supplier.errors.clear()

    assert await waits(kinguin, clock, 1) == [16]

    assert len(await kinguin.sent(KeyReady)) == 1


async def test_retry_after_puts_the_next_poll_off(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    supplier.errors["order"] = Unclear("HTTP 429", retry_after_s=77)

    assert await waits(kinguin, clock, 2) == [2, 77]


async def test_order_that_stays_unknown_to_kinguin_is_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    supplier.errors["order"] = NotFound("OrderNotFound")

    await waits(kinguin, clock, 10)

    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await answers(kinguin) == [S.NEEDS_ATTENTION]


@pytest.mark.parametrize("fault", ["cancel", "refund"])
async def test_order_that_ends_without_keys_is_bought_anew_under_a_new_id(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, fault: str
) -> None:
    supplier.set_faults(**{fault: True})
    await kinguin.deliver(a_request())
    await work(kinguin, clock)
    supplier.set_faults()
    await work(kinguin, clock)

    assert [order.external_id[-2:] for order in supplier.ledger] == ["-1", "-2"]
    assert await purchase_states(kinguin) == ["failed", "keys_ready"]
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_second_cancellation_without_keys_fails_the_line(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(cancel=True)

    await kinguin.deliver(a_request())
    for _ in range(5):
        await work(kinguin, clock)

    assert len(supplier.ledger) == 2
    assert await answers(kinguin) == [S.FAILED]


async def test_order_canceled_half_filled_fails_whole_and_its_keys_go_to_stock(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(cancel=True, fewer_keys=1)
    request = a_request(quantity=3)

    await kinguin.deliver(request)
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.FAILED]
    assert await kinguin.sent(KeyReady) == []
    returned = await kinguin.sent(StockReturned)
    assert {message.product_id for message in returned} == {request.product_id}
    opened = {open_game_key(DELIVERY_RING, key).text() for m in returned for key in m.keys}
    assert opened == {key.key.text() for key in supplier.ledger[0].keys}
    assert len(opened) == 2


async def test_completed_order_with_too_few_keys_waits_then_calls_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(fewer_keys=1)
    await kinguin.deliver(a_request(quantity=3))
    await kinguin.run_jobs()

    await waits(kinguin, clock, 10)
    assert await answers(kinguin) == [S.DELAYED]
    await work(kinguin, clock, 24 * 3600)

    assert await answers(kinguin) == [S.DELAYED, S.NEEDS_ATTENTION]
    assert await kinguin.sent(KeyReady) == []


async def test_missing_key_that_comes_later_completes_the_line(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(fewer_keys=1)
    await kinguin.deliver(a_request(quantity=2))
    await work(kinguin, clock)
    [order] = supplier.ledger
    order.keys.append(supplier._new_key(order, 9))

    await work(kinguin, clock, 4)

    [ready] = await kinguin.sent(KeyReady)
    assert len({key.fingerprint for key in ready.keys}) == 2


async def test_same_serial_under_two_ids_is_one_key(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(fewer_keys=1)
    await kinguin.deliver(a_request(quantity=2))
    await work(kinguin, clock)
    [order] = supplier.ledger
    order.keys.append(type(order.keys[0])("another-id", order.keys[0].key))

    await work(kinguin, clock, 4)

    assert await kinguin.sent(KeyReady) == []


async def test_more_keys_than_ordered_are_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(fewer_keys=-1)

    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.NEEDS_ATTENTION]
    assert await kinguin.sent(KeyReady) == []


async def test_key_that_is_not_what_it_says_is_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(broken_keys=True)

    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    [message] = await kinguin.sent(FulfillmentUpdated)
    assert message.state is S.NEEDS_ATTENTION
    assert "base64" in (message.reason or "")


async def test_keys_too_large_for_kafka_are_kept_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(image_keys=True, key_padding=400_000)

    await kinguin.deliver(a_request(quantity=3))
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.NEEDS_ATTENTION]
    async with kinguin.database.transaction() as transaction:
        kept = await transaction.scalar(sa.text("SELECT count(*) FROM purchase_keys"))
    assert kept == 3
