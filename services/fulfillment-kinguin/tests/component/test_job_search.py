"""Searching: what exists is adopted; only what surely does not is posted again."""

from typing import Any

from contracts import FulfillmentState, FulfillmentUpdated, KeyReady, OrderCancelled
from foundation.clock import new_id
from foundation.testing import FixedClock
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

S = FulfillmentState


async def lose_the_answer(kinguin: ServiceHarness, supplier: FakeSupplier, **fields: Any) -> None:
    """A POST that never reached the supplier, as far as anybody knows."""
    supplier.errors["place"] = Unclear("no answer: ConnectError")
    await kinguin.deliver(a_request(**fields))
    await kinguin.run_jobs()
    supplier.errors.clear()


async def test_three_empty_searches_over_two_minutes_post_again_with_the_same_id(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await lose_the_answer(kinguin, supplier)

    await work(kinguin, clock, 2)
    await work(kinguin, clock, 60)
    assert supplier.calls["place"] == 1
    await work(kinguin, clock, 59)
    assert supplier.calls["place"] == 1
    await work(kinguin, clock, 1)
    assert supplier.calls["place"] == 2
    await work(kinguin, clock)

    [order] = supplier.ledger
    assert order.external_id.endswith("-1")
    assert len(await kinguin.sent(KeyReady)) == 1
    assert await answers(kinguin) == []


async def test_order_that_shows_up_late_is_adopted_not_bought_again(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1, hidden_from_search=2)
    await kinguin.deliver(a_request())

    for _ in range(4):
        await work(kinguin, clock, 60)

    assert len(supplier.ledger) == supplier.calls["place"] == 1
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_search_without_an_answer_is_not_an_empty_one(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await lose_the_answer(kinguin, supplier)
    supplier.errors["orders_of"] = Unclear("HTTP 500")

    for _ in range(20):
        await work(kinguin, clock, 60)

    assert supplier.calls["place"] == 1
    assert await purchase_states(kinguin) == ["unknown"]


async def test_search_that_fails_for_a_day_is_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await lose_the_answer(kinguin, supplier)
    supplier.errors["orders_of"] = Unclear("HTTP 500")

    await work(kinguin, clock, 24 * 3600)

    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await answers(kinguin) == [S.NEEDS_ATTENTION]


async def test_several_orders_adopt_the_oldest_and_call_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=2, hidden_from_search=3, refuse_duplicates=False)
    await kinguin.deliver(a_request())

    for _ in range(5):
        await work(kinguin, clock, 60)

    oldest, other = supplier.ledger
    assert oldest.external_id == other.external_id
    [flag] = await kinguin.sent(FulfillmentUpdated)
    assert flag.state is S.NEEDS_ATTENTION
    assert other.order_id in (flag.reason or "")
    assert oldest.polls == 1
    assert other.polls == 0
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_posting_without_end_stops_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = Unclear("HTTP 502")
    await kinguin.deliver(a_request())

    for _ in range(40):
        await work(kinguin, clock, 60)

    assert supplier.calls["place"] == 5
    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await answers(kinguin) == [S.NEEDS_ATTENTION]


async def test_price_that_rose_meanwhile_fails_the_line_instead_of_posting_again(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await lose_the_answer(kinguin, supplier)
    supplier.set_faults(price_factor=100)

    for _ in range(4):
        await work(kinguin, clock, 60)

    assert supplier.calls["place"] == 1
    assert await answers(kinguin) == [S.FAILED]


async def test_cancelled_line_is_searched_to_the_end_and_not_posted_again(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    line_id, order_id = new_id(), new_id()
    await lose_the_answer(kinguin, supplier, line_id=line_id, order_id=order_id)
    await kinguin.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=clock.now(),
            order_id=order_id,
            line_ids=(line_id,),
            reason="asked for",
        )
    )

    for _ in range(4):
        await work(kinguin, clock, 60)

    assert supplier.calls["place"] == 1
    assert await purchase_states(kinguin) == ["abandoned"]
    assert await answers(kinguin) == [S.RELEASED]


async def test_supplier_that_cannot_search_leaves_it_to_a_person(
    settings: KinguinSettings, clock: FixedClock
) -> None:
    supplier = FakeSupplier(can_search=False)
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        await lose_the_answer(kinguin, supplier)

        await work(kinguin, clock)

        assert await purchase_states(kinguin) == ["needs_attention"]
        assert await answers(kinguin) == [S.NEEDS_ATTENTION]
        assert supplier.calls["place"] == 1
