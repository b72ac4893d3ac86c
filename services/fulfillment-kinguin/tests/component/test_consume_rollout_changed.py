"""The switch: off hands back what was not placed, and follows the rest to its end."""

import sqlalchemy as sa
from contracts import FulfillmentState, FulfillmentUpdated, KeyReady, RolloutChanged
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.errors import InsufficientBalance
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
