"""The switch: off hands back what was not placed, and follows the rest to its end."""

import sqlalchemy as sa
from contracts import (
    FulfillmentRequestedKinguin,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    OrderCancelled,
    RolloutChanged,
)
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import rollout
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.domain.supply import Product
from fulfillment_kinguin.errors import InsufficientBalance, Unclear
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    SIGNER,
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness

S = FulfillmentState
NOW = FixedClock().now()


def a_switch(*, on: bool, version: int) -> RolloutChanged:
    return RolloutChanged(
        id=new_id(), occurred_at=NOW, kinguin_enabled=on, rollout_percent=100, version=version
    )


async def test_off_hands_planned_lines_back(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()
    await kinguin.deliver(request, a_switch(on=False, version=1))
    await work(kinguin, clock)

    [message] = await kinguin.sent(FulfillmentUpdated)
    assert (message.line_id, message.state) == (request.line_id, S.HANDED_BACK)
    assert await purchase_states(kinguin) == ["handed_back"]
    assert supplier.calls["place"] == 0


async def test_off_hands_new_lines_back_at_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_switch(on=False, version=1), a_request())
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.HANDED_BACK]
    assert supplier.calls["place"] == 0


async def test_off_follows_what_was_placed_to_its_end(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()

    await kinguin.deliver(a_switch(on=False, version=1))
    await work(kinguin, clock)

    assert len(await kinguin.sent(KeyReady)) == 1
    assert await answers(kinguin) == []


async def test_off_hands_a_line_back_instead_of_buying_it_anew(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(cancel=True)
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()

    await kinguin.deliver(a_switch(on=False, version=1))
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert await answers(kinguin) == [S.HANDED_BACK]


async def test_off_hands_back_what_waits_for_balance(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = InsufficientBalance("empty")
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()

    await kinguin.deliver(a_switch(on=False, version=1))
    await work(kinguin, clock, 600)

    assert await answers(kinguin) == [S.DELAYED, S.HANDED_BACK]
    assert supplier.calls["place"] == 1


async def lose_the_answer_and_switch_off(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> FulfillmentRequestedKinguin:
    """Nobody knows whether an order exists, and nothing may be bought any more."""
    request = a_request()
    await kinguin.deliver(request)
    await kinguin.run_jobs()
    supplier.errors.clear()
    await kinguin.deliver(a_switch(on=False, version=1))
    for _ in range(4):
        await work(kinguin, clock, 60)
    return request


async def test_off_posts_nothing_again_and_goes_on_when_it_is_on(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = Unclear("no answer: ConnectError")
    await lose_the_answer_and_switch_off(kinguin, clock, supplier)
    for _ in range(3):
        await work(kinguin, clock, 300)
    assert (supplier.calls["place"], supplier.ledger) == (1, [])
    assert await purchase_states(kinguin) == ["unknown"]
    [told] = await kinguin.sent(FulfillmentUpdated)
    assert (told.state, told.reason) == (S.DELAYED, "switch")

    await kinguin.deliver(a_switch(on=True, version=2))
    await work(kinguin, clock, 300)
    await work(kinguin, clock)

    assert (supplier.calls["place"], len(supplier.ledger)) == (2, 1)
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_off_still_adopts_an_order_that_comes_to_light_late(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1, hidden_from_search=4)
    await lose_the_answer_and_switch_off(kinguin, clock, supplier)

    for _ in range(3):
        await work(kinguin, clock, 300)

    assert (supplier.calls["place"], len(supplier.ledger)) == (1, 1)
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_off_ends_what_is_not_found_when_the_line_is_cancelled(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.errors["place"] = Unclear("no answer: ConnectError")
    request = await lose_the_answer_and_switch_off(kinguin, clock, supplier)

    await kinguin.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=NOW,
            order_id=request.order_id,
            line_ids=(request.line_id,),
            reason="no key came in 72 h",
        )
    )
    await work(kinguin, clock, 300)

    assert supplier.calls["place"] == 1
    assert await purchase_states(kinguin) == ["abandoned"]
    assert await answers(kinguin) == [S.DELAYED, S.RELEASED]


class SwitchedOffWhileAsked(FakeSupplier):
    """Somebody switches off between the price and the order, and has not come to lines yet."""

    kinguin: ServiceHarness

    async def product(self, product_id: str) -> Product:
        async with self.kinguin.database.transaction() as transaction:
            off = sa.insert(rollout).values(
                id=1, kinguin_enabled=False, rollout_percent=100, version=1
            )
            await transaction.execute(off)
        return await super().product(product_id)


async def test_off_counts_up_to_the_moment_of_the_order(
    settings: KinguinSettings, clock: FixedClock
) -> None:
    supplier = SwitchedOffWhileAsked()
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        supplier.kinguin = kinguin
        await kinguin.deliver(a_request())

        await work(kinguin, clock)

        assert supplier.calls["place"] == 0
        assert await purchase_states(kinguin) == ["handed_back"]
        assert await answers(kinguin) == [S.HANDED_BACK]


async def test_older_version_changes_nothing(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_switch(on=True, version=5), a_switch(on=False, version=4), a_request())
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1


async def test_environment_overrides_the_stored_switch(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    off = settings.model_copy(update={"kinguin_enabled": False})
    service = build_service(off, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        await kinguin.deliver(a_switch(on=True, version=1), a_request())
        await work(kinguin, clock)

        assert await answers(kinguin) == [S.HANDED_BACK]
        assert supplier.calls["place"] == 0


async def test_environment_switched_off_at_a_restart_hands_planned_lines_back(
    settings: KinguinSettings, clock: FixedClock, supplier: FakeSupplier
) -> None:
    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        await kinguin.deliver(a_request())
        await service.database.dispose()

    off = settings.model_copy(update={"kinguin_enabled": False})
    service = build_service(off, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as kinguin:
        await work(kinguin, clock)

        assert await answers(kinguin) == [S.HANDED_BACK]
        assert supplier.calls["place"] == 0


async def test_failing_change_is_tried_again_and_has_its_effect(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    async with kinguin.database.transaction() as transaction:
        await transaction.execute(sa.text("ALTER TABLE rollout RENAME TO mislaid"))
    await kinguin.deliver(a_switch(on=False, version=1))
    async with kinguin.database.transaction() as transaction:
        await transaction.execute(sa.text("ALTER TABLE mislaid RENAME TO rollout"))

    await work(kinguin, clock)
    await kinguin.deliver(a_request())

    assert await answers(kinguin) == [S.HANDED_BACK]
    assert supplier.calls["place"] == 0


async def test_change_that_cannot_be_read_is_kept(kinguin: ServiceHarness) -> None:
    await kinguin.deliver_raw("rollout.changed", b"{}", key=b"rollout")

    async with kinguin.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.topic == "rollout.changed"
    assert await answers(kinguin) == []
