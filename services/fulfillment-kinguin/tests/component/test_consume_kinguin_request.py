"""A paid line asks for keys from Kinguin: bought once, sealed, handed to delivery."""

from io import StringIO
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import (
    FulfillmentRequestedKinguin,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    Money,
    SourceType,
)
from foundation.clock import new_id
from foundation.sealing import open_game_key
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import purchase_history, purchase_keys, purchases
from fulfillment_kinguin.testing import (
    DELIVERY_RING,
    PICTURE,
    FakeSupplier,
    a_request,
    answers,
    work,
)
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness


def again(message: FulfillmentRequestedKinguin) -> FulfillmentRequestedKinguin:
    """The same question as a new message."""
    return message.model_copy(update={"id": new_id()})


async def told(kinguin: ServiceHarness) -> list[tuple[FulfillmentState, str]]:
    return [(m.state, m.reason or "") for m in await kinguin.sent(FulfillmentUpdated)]


async def test_line_gets_its_key_sealed_for_delivery(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()

    await kinguin.deliver(request)
    await work(kinguin, clock)

    [ready] = await kinguin.sent(KeyReady)
    assert (ready.line_id, ready.source_type) == (request.line_id, SourceType.KINGUIN)
    assert ready.buyer == request.buyer
    [order] = supplier.ledger
    [key] = ready.keys
    assert open_game_key(DELIVERY_RING, key).text() == order.keys[0].key.text()
    assert await answers(kinguin) == []


async def test_three_keys_come_in_one_message(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request(quantity=3))
    await work(kinguin, clock)

    [ready] = await kinguin.sent(KeyReady)
    opened = {open_game_key(DELIVERY_RING, key).text() for key in ready.keys}
    [order] = supplier.ledger
    assert opened == {bought.key.text() for bought in order.keys}
    assert len(opened) == 3


async def test_picture_key_keeps_its_bytes_and_media_type(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(image_keys=True)

    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    [ready] = await kinguin.sent(KeyReady)
    assert ready.keys[0].media_type == "image/png"
    assert open_game_key(DELIVERY_RING, ready.keys[0]).value.startswith(PICTURE)


async def test_no_key_stands_in_the_database_or_a_log_in_plain(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, log_lines: StringIO
) -> None:
    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    plain = supplier.ledger[0].keys[0].key.text()
    async with kinguin.database.transaction() as transaction:
        for table in ("purchases", "purchase_keys", "outbox", "jobs", "purchase_history"):
            rows = await transaction.scalars(sa.text(f"SELECT t::text FROM {table} t"))  # noqa: S608
            assert all(plain not in row for row in rows)
    assert "purchase.keys_ready" in log_lines.getvalue()
    assert plain not in log_lines.getvalue()


async def test_duplicate_message_buys_nothing_more(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()

    await kinguin.deliver(request, request)
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_asking_again_for_a_ready_line_repeats_the_same_keys(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request(quantity=2)
    await kinguin.deliver(request)
    await work(kinguin, clock)

    await kinguin.deliver(again(request))
    await work(kinguin, clock)

    first, second = await kinguin.sent(KeyReady)
    assert first.keys == second.keys
    assert len(supplier.ledger) == 1


async def test_asking_again_while_it_is_bought_changes_nothing(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    request = a_request()
    await kinguin.deliver(request)
    await kinguin.run_jobs()

    await kinguin.deliver(again(request))
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert await answers(kinguin) == []
    assert len(await kinguin.sent(KeyReady)) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"highest_unit_price": Money(amount="4.74", currency="USD")}, "PriceAboveLimit"),
        ({"highest_unit_price": Money(amount="4.30", currency="EUR")}, "PriceAboveLimit"),
        ({"highest_unit_price": Money(amount="99", currency="GBP")}, "Refused"),
        ({"kinguin_product_id": "5c9b5c9b5c9b5c9b5c9b9999"}, "ProductUnavailable"),
        ({"quantity": 10}, "Refused"),
    ],
)
async def test_line_that_may_not_be_bought_fails_and_nothing_is_posted(
    kinguin: ServiceHarness,
    supplier: FakeSupplier,
    changes: dict[str, Any],
    reason: str,
) -> None:
    request = a_request(**changes)

    await kinguin.deliver(request, again(request))
    await kinguin.run_jobs()
    await kinguin.deliver(again(request))

    first, second = await told(kinguin)
    assert first == second
    assert first[0] is FulfillmentState.FAILED
    assert first[1].startswith(reason)
    assert supplier.calls["place"] == 0


async def test_price_exactly_at_the_limit_is_paid(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    limit = Money(amount="4.741", currency="USD")  # 4.31 EUR at 1.10

    await kinguin.deliver(a_request(highest_unit_price=limit))
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    async with kinguin.database.transaction() as transaction:
        [row] = (await transaction.execute(sa.select(purchases))).all()
    assert (row.price_asked_eur, row.price_charged_eur) == (
        supplier.ledger[0].price_charged,
        supplier.ledger[0].price_charged,
    )


async def test_each_change_of_a_purchase_is_in_its_history(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    async with kinguin.database.transaction() as transaction:
        history = await transaction.execute(
            sa.select(purchase_history.c.from_state, purchase_history.c.to_state).order_by(
                purchase_history.c.seq
            )
        )
        steps = [(row.from_state, row.to_state) for row in history]
        kept = await transaction.scalar(sa.select(sa.func.count()).select_from(purchase_keys))
    assert steps == [
        (None, "planned"),
        ("planned", "placing"),
        ("placing", "placed"),
        ("placed", "keys_ready"),
    ]
    assert kept == 1


async def test_failing_message_is_tried_again_and_has_its_effect_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    async with kinguin.database.transaction() as transaction:
        await transaction.execute(sa.text("ALTER TABLE purchases RENAME TO mislaid"))
    await kinguin.deliver(a_request())
    async with kinguin.database.transaction() as transaction:
        await transaction.execute(sa.text("ALTER TABLE mislaid RENAME TO purchases"))

    clock.advance(2)
    await kinguin.run_jobs()
    await work(kinguin, clock)

    assert len(supplier.ledger) == 1
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_message_that_always_fails_is_given_up_and_its_order_flagged(
    kinguin: ServiceHarness, clock: FixedClock
) -> None:
    bad = a_request(quantity=40_000)  # more than a smallint

    await kinguin.deliver(bad)
    for _ in range(6):
        clock.advance(hours=1)
        await kinguin.run_jobs()

    [message] = await kinguin.sent(FulfillmentUpdated)
    assert (message.order_id, message.state) == (bad.order_id, FulfillmentState.NEEDS_ATTENTION)
    async with kinguin.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert letter.given_up_at is not None
    assert bad.order_id == UUID(letter.key.decode())


async def test_unreadable_message_is_kept_and_its_order_flagged(kinguin: ServiceHarness) -> None:
    order_id = new_id()

    await kinguin.deliver_raw(
        "fulfillment.requested.kinguin", b'{"type": "unknown.v9"}', key=str(order_id).encode()
    )

    [message] = await kinguin.sent(FulfillmentUpdated)
    assert (message.order_id, message.state) == (order_id, FulfillmentState.NEEDS_ATTENTION)
