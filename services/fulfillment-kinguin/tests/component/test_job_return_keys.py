"""Keys that nobody wants go back to the supplier, once; only what it refuses becomes stock."""

import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    FulfillmentRequestedKinguin,
    FulfillmentState,
    KeyReady,
    OrderCancelled,
    StockReturned,
)
from contracts.testing import a_delivery_updated
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import purchases
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.domain.supply import OrderStatus
from fulfillment_kinguin.errors import Unauthorized, Unclear
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
from webkit.testing import admin_token

pytestmark = pytest.mark.component


async def bought_and_cancelled(kinguin: ServiceHarness, quantity: int = 2) -> None:
    """A line is cancelled while its order is at Kinguin."""
    request = a_request(quantity)
    await kinguin.deliver(request)
    await kinguin.run_jobs()
    await kinguin.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=request.occurred_at,
            order_id=request.order_id,
            line_ids=(request.line_id,),
            reason="asked for",
        )
    )


async def pass_time(kinguin: ServiceHarness, clock: FixedClock, *seconds: float) -> None:
    for wait in seconds:
        await work(kinguin, clock, wait)


async def test_keys_go_back_and_never_into_stock(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await bought_and_cancelled(kinguin)

    await pass_time(kinguin, clock, 2, 5, 60)

    assert await purchase_states(kinguin) == ["returned"]
    assert await kinguin.sent(StockReturned) == []
    assert supplier.calls["return_keys"] == 1
    assert supplier.ledger[0].status is OrderStatus.REFUNDED


async def test_under_return_they_are_nobodys(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(slow_return=True)
    await bought_and_cancelled(kinguin)

    await pass_time(kinguin, clock, 2, 60, 3600)
    assert await purchase_states(kinguin) == ["return_requested"]
    assert await kinguin.sent(StockReturned) == []
    supplier.set_faults()
    await pass_time(kinguin, clock, 300)

    assert await purchase_states(kinguin) == ["returned"]
    assert supplier.calls["return_keys"] == 1


async def test_refused_keys_become_stock(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(refuse_return=True)
    await bought_and_cancelled(kinguin)

    await pass_time(kinguin, clock, 2, 60)

    assert await purchase_states(kinguin) == ["return_refused"]
    assert len(await kinguin.sent(StockReturned)) == 2
    assert supplier.calls["return_keys"] == 1


async def test_when_the_window_is_over_nobody_is_asked(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["return_keys"] = Unauthorized("HTTP 401")
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2, 2)
    asked = supplier.calls["return_keys"]
    assert asked == 1
    assert await purchase_states(kinguin) == ["return_requested"]

    await pass_time(kinguin, clock, 25 * 3600)

    assert await purchase_states(kinguin) == ["return_refused"]
    assert len(await kinguin.sent(StockReturned)) == 2
    assert supplier.calls["return_keys"] == asked


async def test_refused_credentials_ask_again_and_count_as_nothing(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["return_keys"] = Unauthorized("HTTP 401")
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2, 2)
    supplier.errors.clear()

    await pass_time(kinguin, clock, 300, 5)

    assert await purchase_states(kinguin) == ["returned"]


async def test_answer_lost_after_the_return_was_taken_is_seen_on_the_order(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_return_answer=1)
    await bought_and_cancelled(kinguin)

    await pass_time(kinguin, clock, 2, 30)

    assert await purchase_states(kinguin) == ["returned"]
    assert supplier.calls["return_keys"] == supplier.ledger[0].returns == 1


async def test_request_that_never_arrived_is_made_again_after_looking(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(lose_return=1)
    await bought_and_cancelled(kinguin)

    await pass_time(kinguin, clock, 2, 30, 30, 30)
    assert supplier.calls["return_keys"] == 1
    await pass_time(kinguin, clock, 30, 30, 5)

    assert await purchase_states(kinguin) == ["returned"]
    assert supplier.ledger[0].returns == 1


async def test_refusal_of_a_second_request_says_nothing_about_the_first(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_return_answer=1, slow_return=True)
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2, 30, 30, 30, 30, 30, 30)
    assert supplier.calls["return_keys"] == 2
    assert await purchase_states(kinguin) == ["return_requested"]
    assert await kinguin.sent(StockReturned) == []

    supplier.set_faults()
    await pass_time(kinguin, clock, 300)

    assert await purchase_states(kinguin) == ["returned"]


async def test_what_nobody_knows_after_a_day_is_for_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_return_answer=1, slow_return=True)
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2, 25 * 3600)

    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await kinguin.sent(StockReturned) == []


async def left_to_a_person(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    """A return was taken, and a day later the order still shows none of it."""
    supplier.set_faults(slow_return=True)
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2, 25 * 3600)
    assert await purchase_states(kinguin) == ["needs_attention"]


async def act(kinguin: ServiceHarness, clock: FixedClock, action: str) -> int:
    async with kinguin.database.transaction() as transaction:
        purchase_id = await transaction.scalar(sa.select(purchases.c.id))
    answer = await kinguin.http.post(
        f"/admin/purchases/{purchase_id}/actions",
        json={"action": action, "reason": "asked by support"},
        headers={"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"},
    )
    await kinguin.run_jobs()
    return answer.status_code


@pytest.mark.parametrize("action", ["poll_now", "give_up"])
async def test_keys_that_went_back_in_an_order_called_completed_end_the_purchase(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, action: str
) -> None:
    await left_to_a_person(kinguin, clock, supplier)
    supplier.set_faults(silent_return=True)

    assert await act(kinguin, clock, action) == 200

    assert supplier.ledger[0].status is OrderStatus.COMPLETED
    assert await purchase_states(kinguin) == ["returned"]
    assert await kinguin.sent(StockReturned) == []
    async with kinguin.database.transaction() as transaction:
        assert await transaction.scalar(sa.select(purchases.c.committed_eur)) is None


async def test_given_up_after_a_look_that_shows_the_keys_as_ours_they_are_stock(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await left_to_a_person(kinguin, clock, supplier)

    assert await act(kinguin, clock, "give_up") == 200

    assert await purchase_states(kinguin) == ["abandoned"]
    assert len(await kinguin.sent(StockReturned)) == 2
    async with kinguin.database.transaction() as transaction:
        assert await transaction.scalar(sa.select(purchases.c.return_taken)) is False


async def test_given_up_without_a_look_is_refused(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await left_to_a_person(kinguin, clock, supplier)
    supplier.errors["order"] = Unclear("HTTP 502")

    assert await act(kinguin, clock, "give_up") == 503

    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await kinguin.sent(StockReturned) == []


async def test_given_up_while_a_part_went_back_is_refused(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await left_to_a_person(kinguin, clock, supplier)
    supplier.ledger[0].keys_returned = 1

    assert await act(kinguin, clock, "give_up") == 409

    assert await kinguin.sent(StockReturned) == []


async def test_keys_of_an_order_that_was_refunded_never_become_stock(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(fewer_keys=1)
    await kinguin.deliver(a_request(2))
    await pass_time(kinguin, clock, 2)
    supplier.ledger[0].status = OrderStatus.REFUNDED
    await pass_time(kinguin, clock, 4)
    assert await purchase_states(kinguin) == ["needs_attention"]

    assert [await act(kinguin, clock, "give_up") for _ in range(2)] == [200, 200]

    assert await purchase_states(kinguin) == ["returned"]
    assert await kinguin.sent(StockReturned) == []
    assert await answers(kinguin) == [FulfillmentState.NEEDS_ATTENTION, FulfillmentState.FAILED]


async def test_process_that_died_while_asking_looks_first(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["return_keys"] = Unclear("the process ended")
    await bought_and_cancelled(kinguin)
    await pass_time(kinguin, clock, 2)
    supplier.errors.clear()
    async with kinguin.database.transaction() as transaction:
        at_once = sa.update(jobs).where(jobs.c.kind == "return_keys")
        await transaction.execute(at_once.values(due_at=clock.now(), lease_until=None))

    await kinguin.run_jobs()

    assert supplier.calls["return_keys"] == 1
    async with kinguin.database.transaction() as transaction:
        assert await transaction.scalar(sa.select(purchases.c.return_looks)) == 1


async def delivered(kinguin: ServiceHarness, clock: FixedClock) -> FulfillmentRequestedKinguin:
    request = a_request(2)
    await kinguin.deliver(request)
    await pass_time(kinguin, clock, 2)
    assert await purchase_states(kinguin) == ["keys_ready"]
    return request


async def voided(
    kinguin: ServiceHarness, request: FulfillmentRequestedKinguin, *, revealed: bool
) -> None:
    """Delivery answers a cancellation, and says so twice."""
    for version in (3, 4):
        await kinguin.deliver(
            a_delivery_updated(
                order_id=request.order_id,
                line_id=request.line_id,
                state=DeliveryState.VOIDED,
                version=version,
                revealed=revealed,
            )
        )


async def test_keys_that_were_delivered_and_never_seen_go_back(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = await delivered(kinguin, clock)

    await voided(kinguin, request, revealed=False)
    await pass_time(kinguin, clock, 2, 5)

    assert await purchase_states(kinguin) == ["returned"]
    assert supplier.ledger[0].returns == supplier.calls["return_keys"] == 1
    again = request.model_copy(update={"id": new_id()})
    await kinguin.deliver(again)  # the line has no keys any more
    assert await answers(kinguin) == [FulfillmentState.RELEASED]
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_keys_that_were_shown_stay_with_their_buyer(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = await delivered(kinguin, clock)

    await voided(kinguin, request, revealed=True)
    await pass_time(kinguin, clock, 2)

    assert await purchase_states(kinguin) == ["keys_ready"]
    assert supplier.calls["return_keys"] == 0


async def test_dialect_that_takes_none_back_gives_them_to_stock(
    settings: KinguinSettings, clock: FixedClock
) -> None:
    supplier = FakeSupplier()
    supplier.can_return = False
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        await voided(kinguin, await delivered(kinguin, clock), revealed=False)
        await bought_and_cancelled(kinguin)
        await pass_time(kinguin, clock, 2)

        assert await purchase_states(kinguin) == ["abandoned", "abandoned"]
        assert len(await kinguin.sent(StockReturned)) == 4
