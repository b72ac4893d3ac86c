"""A cancelled order: what is not bought is let go, what may be bought goes to stock."""

import pytest
from contracts import (
    FulfillmentRequestedKinguin,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    OrderCancelled,
    StockReturned,
)
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.testing import (
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from servicekit.testing import ServiceHarness

S = FulfillmentState


def a_cancellation(request: FulfillmentRequestedKinguin) -> OrderCancelled:
    return OrderCancelled(
        id=new_id(),
        occurred_at=request.occurred_at,
        order_id=request.order_id,
        line_ids=(request.line_id,),
        reason="asked for",
    )


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_line_cancelled_before_it_is_placed_is_never_bought(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, *, cancel_first: bool
) -> None:
    request = a_request()
    cancel = a_cancellation(request)

    await kinguin.deliver(*((cancel, request) if cancel_first else (request, cancel)))
    await work(kinguin, clock)

    assert supplier.calls["place"] == 0
    assert await answers(kinguin) == [S.RELEASED]


async def test_running_purchase_is_followed_to_its_end_and_goes_to_stock_if_not_taken_back(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(refuse_return=True)
    request = a_request(quantity=2)
    await kinguin.deliver(request)
    await kinguin.run_jobs()
    assert len(supplier.ledger) == 1

    await kinguin.deliver(a_cancellation(request))
    assert await answers(kinguin) == [S.RELEASED]
    await work(kinguin, clock)

    returned = await kinguin.sent(StockReturned)
    assert [message.product_id for message in returned] == [request.product_id] * 2
    assert await kinguin.sent(KeyReady) == []
    assert await purchase_states(kinguin) == ["return_refused"]
    assert await answers(kinguin) == [S.RELEASED]


async def test_canceled_purchase_of_a_cancelled_line_is_not_bought_anew(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(cancel=True)
    request = a_request()
    await kinguin.deliver(request)
    await kinguin.run_jobs()
    await kinguin.deliver(a_cancellation(request))

    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert await purchase_states(kinguin) == ["abandoned"]


async def test_cancelling_a_line_whose_keys_are_sent_is_too_late(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    request = a_request()
    await kinguin.deliver(request)
    await work(kinguin, clock)

    await kinguin.deliver(a_cancellation(request))

    assert await answers(kinguin) == [S.TOO_LATE]
    assert await kinguin.sent(StockReturned) == []


async def test_cancelling_twice_is_answered_twice_and_changes_nothing(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()
    await kinguin.deliver(request)
    cancel = a_cancellation(request)

    await kinguin.deliver(cancel, cancel, a_cancellation(request))
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.RELEASED, S.RELEASED]
    assert supplier.calls["place"] == 0


async def test_lines_of_other_services_are_not_answered(kinguin: ServiceHarness) -> None:
    await kinguin.deliver(a_cancellation(a_request()))

    assert await answers(kinguin) == []


async def test_cancellation_that_cannot_be_read_flags_its_order(kinguin: ServiceHarness) -> None:
    order_id = new_id()

    await kinguin.deliver_raw("order.cancelled", b"{", key=str(order_id).encode())

    [message] = await kinguin.sent(FulfillmentUpdated)
    assert (message.order_id, message.state) == (order_id, S.NEEDS_ATTENTION)
