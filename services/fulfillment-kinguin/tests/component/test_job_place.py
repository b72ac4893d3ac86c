"""Placing: one POST, behind a fence; what is not sure is searched for, never posted again."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState, KeyReady, OrderCancelled
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import purchases
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.domain.supply import OrderToPlace, Product, SupplierOrder
from fulfillment_kinguin.errors import (
    InsufficientBalance,
    NothingBought,
    ProductUnavailable,
    Refused,
    SupplierError,
    Unauthorized,
    Unclear,
    UnreadableAnswer,
)
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

S = FulfillmentState


async def do_nothing() -> None:
    """What happens in between, unless a test says otherwise."""


class WatchingSupplier(FakeSupplier):
    """Lets a test step in before the price is told, at the wait for a turn, or while placing."""

    def __init__(self) -> None:
        super().__init__()
        self.on_product = do_nothing
        self.on_turn = do_nothing
        self.on_place = do_nothing

    async def product(self, product_id: str) -> Product:
        await self.on_product()
        return await super().product(product_id)

    async def wait_for_turn(self) -> None:
        await self.on_turn()
        await super().wait_for_turn()

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        await self.on_place()
        return await super().place(order)


@pytest.mark.parametrize(
    "error", [Refused("a rule"), ProductUnavailable("no offer"), Refused("Preorder")]
)
async def test_definite_refusal_fails_the_line(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, error: NothingBought
) -> None:
    supplier.errors["place"] = error

    await kinguin.deliver(a_request())
    await work(kinguin, clock, 600)

    assert await answers(kinguin) == [S.FAILED]
    assert await purchase_states(kinguin) == ["failed"]
    assert supplier.calls["place"] == 1


@pytest.mark.parametrize("error", [InsufficientBalance("empty"), Unauthorized("HTTP 401")])
@pytest.mark.parametrize("call", ["place", "product"])
async def test_without_balance_or_credentials_the_line_waits_and_is_bought_later(
    kinguin: ServiceHarness,
    clock: FixedClock,
    supplier: FakeSupplier,
    error: NothingBought,
    call: str,
) -> None:
    supplier.errors[call] = error
    await kinguin.deliver(a_request())
    await work(kinguin, clock, 299)
    assert await answers(kinguin) == [S.DELAYED]
    assert await purchase_states(kinguin) == ["planned"]
    asked = supplier.calls[call]
    assert asked == (2 if isinstance(error, InsufficientBalance) else 1)  # the balance was heard

    await work(kinguin, clock, 300)
    assert supplier.calls[call] > asked
    supplier.errors.clear()
    await work(kinguin, clock, 300)
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.DELAYED]
    assert len(await kinguin.sent(KeyReady)) == len(supplier.ledger) == 1


@pytest.mark.parametrize(
    "error",
    [
        Unclear("no answer: ReadTimeout"),
        Unclear("HTTP 503"),
        Unclear("HTTP 429", retry_after_s=1),
        Unclear("HTTP 400, OrderFailed"),
        UnreadableAnswer("no JSON"),
    ],
)
async def test_every_other_answer_is_searched_for_and_not_posted_again(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, error: SupplierError
) -> None:
    supplier.errors["place"] = error

    await kinguin.deliver(a_request())
    await work(kinguin, clock, 90)

    assert await purchase_states(kinguin) == ["unknown"]
    assert supplier.calls["place"] == 1
    assert supplier.calls["orders_of"] == 1
    assert await answers(kinguin) == []


async def test_answer_lost_after_the_order_was_placed_buys_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1)

    await kinguin.deliver(a_request())
    await work(kinguin, clock)
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert len(await kinguin.sent(KeyReady)) == 1
    assert supplier.calls["place"] == 1


async def test_duplicate_external_id_adopts_the_order_that_exists(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()
    await kinguin.deliver(request)
    await kinguin.run_jobs()
    assert len(supplier.ledger) == 1
    async with kinguin.database.transaction() as transaction:  # as if nothing had been heard
        await transaction.execute(
            sa.update(purchases).values(state="planned", kinguin_reservation_id=None)
        )
        await transaction.execute(
            sa.update(jobs).where(jobs.c.kind == "poll").values(kind="place", due_at=clock.now())
        )

    await kinguin.run_jobs()
    await work(kinguin, clock)
    await work(kinguin, clock)

    assert supplier.calls["place"] == 2
    assert len(supplier.ledger) == 1
    assert len(await kinguin.sent(KeyReady)) == 1


@pytest.fixture
def watched() -> WatchingSupplier:
    return WatchingSupplier()


@pytest.mark.parametrize("moment", ["on_product", "on_turn"])
async def test_lease_lost_before_the_post_posts_nothing(
    settings: KinguinSettings, clock: FixedClock, watched: WatchingSupplier, moment: str
) -> None:
    service = build_service(settings, clock, SIGNER.static_jwks(), watched)
    async with ServiceHarness.start(service) as kinguin:

        async def lose() -> None:
            setattr(watched, moment, do_nothing)
            async with kinguin.database.transaction() as transaction:
                past = sa.func.clock_timestamp() - timedelta(seconds=1)
                await transaction.execute(sa.update(jobs).values(lease_until=past))

        setattr(watched, moment, lose)
        await kinguin.deliver(a_request())
        runner = next(job for job in kinguin.service.jobs if job.kind == "place")
        await runner.run_due()

        assert watched.calls["place"] == 0
        assert await purchase_states(kinguin) == ["planned"]
        await work(kinguin, clock)
        assert len(watched.ledger) == 1


async def test_worker_that_lost_its_lease_during_the_post_is_found_by_search(
    settings: KinguinSettings, clock: FixedClock, watched: WatchingSupplier
) -> None:
    service = build_service(settings, clock, SIGNER.static_jwks(), watched)
    async with ServiceHarness.start(service) as kinguin:

        async def taken_over() -> None:
            async with kinguin.database.transaction() as transaction:
                await transaction.execute(sa.update(jobs).values(lease_token=UUID(int=1)))

        watched.on_place = taken_over
        await kinguin.deliver(a_request())
        runner = next(job for job in kinguin.service.jobs if job.kind == "place")
        await runner.run_due()
        assert await purchase_states(kinguin) == ["placing"]
        async with kinguin.database.transaction() as transaction:
            await transaction.execute(sa.update(jobs).values(lease_until=None))

        await work(kinguin, clock)
        await work(kinguin, clock)

        assert len(watched.ledger) == watched.calls["place"] == 1
        assert len(await kinguin.sent(KeyReady)) == 1


async def test_line_cancelled_while_the_price_is_asked_is_not_posted_again(
    settings: KinguinSettings, clock: FixedClock, watched: WatchingSupplier
) -> None:
    service = build_service(settings, clock, SIGNER.static_jwks(), watched)
    async with ServiceHarness.start(service) as kinguin:
        request = a_request()
        watched.errors["place"] = Unclear("no answer: ConnectError")
        await kinguin.deliver(request)
        await kinguin.run_jobs()
        watched.errors.clear()

        async def cancel() -> None:
            watched.on_product = do_nothing
            await kinguin.deliver(
                OrderCancelled(
                    id=new_id(),
                    occurred_at=clock.now(),
                    order_id=request.order_id,
                    line_ids=(request.line_id,),
                    reason="asked for",
                )
            )

        watched.on_product = cancel
        for _ in range(4):
            await work(kinguin, clock, 60)

        assert watched.on_product is do_nothing
        assert watched.ledger == []
        assert await purchase_states(kinguin) == ["abandoned"]


async def test_process_that_died_while_placing_never_posts_again_by_itself(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request())
    async with kinguin.database.transaction() as transaction:
        await transaction.execute(sa.update(purchases).values(state="placing", posts=1))

    await work(kinguin, clock, 90)

    assert supplier.calls["place"] == 0
    assert await purchase_states(kinguin) == ["unknown"]


async def test_price_that_cannot_be_asked_is_asked_again_and_the_line_told(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["product"] = Unclear("HTTP 503", retry_after_s=60)
    await kinguin.deliver(a_request())
    for _ in range(10):
        await work(kinguin, clock, 59)
    assert await answers(kinguin) == [S.DELAYED]

    supplier.errors.clear()
    await work(kinguin, clock, 300)
    await work(kinguin, clock)

    assert len(supplier.ledger) == len(await kinguin.sent(KeyReady)) == 1
