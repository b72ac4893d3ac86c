"""`order.placed` and `order.cancelled`: invoices are made, refused, expired, let go."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import OrderCancelled, OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.tables import invoices
from payments.bootstrap import build_service
from payments.errors import GatewayUnauthorized, GatewayUnavailable, InvoiceRefused
from payments.settings import PaymentsSettings
from payments.testing import FakeGateway, an_ipn, an_order, signed
from persistence.tables import dead_letters
from servicekit.testing import ServiceHarness


def cancelled(order: OrderPlaced) -> OrderCancelled:
    return OrderCancelled(
        id=new_id(),
        occurred_at=order.occurred_at,
        order_id=order.order_id,
        line_ids=tuple(line.line_id for line in order.lines),
        reason="asked for",
    )


async def states(payments: ServiceHarness) -> list[PaymentState]:
    return [message.state for message in await payments.sent(PaymentUpdated)]


async def invoice(payments: ServiceHarness) -> Any:
    async with payments.database.transaction() as transaction:
        return (await transaction.execute(sa.select(invoices))).one()


async def test_placed_order_gets_an_invoice_with_its_price_and_pages(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    order = an_order(amount="39.99")

    await payments.deliver(order)
    await payments.run_jobs()

    [asked] = gateway.invoices.values()
    assert (str(asked.price_amount), asked.price_currency) == ("39.99", "usd")
    assert asked.success_url == f"http://127.0.0.1:8000/orders/{order.order_id}"
    assert asked.ipn_callback_url == "http://127.0.0.1:8001/webhooks/nowpayments"
    [ready] = await payments.sent(PaymentUpdated)
    assert ready.state is PaymentState.INVOICE_READY
    assert ready.invoice_url == "https://pay.test/4522000001"


async def test_repeated_message_makes_no_second_invoice(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    order = an_order()

    await payments.deliver(order, order, order.model_copy(update={"id": new_id()}))
    await payments.run_jobs()

    assert len(gateway.invoices) == 1
    assert await states(payments) == [PaymentState.INVOICE_READY]


async def test_known_order_asked_about_again_is_told_its_page_again(
    payments: ServiceHarness,
) -> None:
    order = an_order()
    await payments.deliver(order)
    await payments.run_jobs()

    await payments.deliver(order.model_copy(update={"id": new_id()}))

    assert await states(payments) == [PaymentState.INVOICE_READY] * 2


@pytest.mark.parametrize("trouble", [GatewayUnavailable("away"), GatewayUnauthorized("bad key")])
async def test_invoice_is_asked_for_until_the_gateway_makes_it(
    payments: ServiceHarness, gateway: FakeGateway, clock: FixedClock, trouble: Any
) -> None:
    gateway.trouble = trouble
    await payments.deliver(an_order())
    await payments.run_jobs()
    assert await states(payments) == []

    gateway.trouble = None
    clock.advance(minutes=6)
    await payments.run_jobs()

    assert await states(payments) == [PaymentState.INVOICE_READY]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("AMOUNT_MINIMAL_ERROR", PaymentState.FAILED),
        ("CURRENCY_UNAVAILABLE", PaymentState.NEEDS_ATTENTION),
    ],
)
async def test_definite_refusal_is_told_and_not_tried_again(
    payments: ServiceHarness,
    gateway: FakeGateway,
    clock: FixedClock,
    code: str,
    state: PaymentState,
) -> None:
    gateway.refusal = InvoiceRefused(code, "amountTo is too small")
    await payments.deliver(an_order())
    await payments.run_jobs()
    gateway.refusal = None
    clock.advance(hours=1)
    await payments.run_jobs()

    [told] = await payments.sent(PaymentUpdated)
    assert (told.state, told.reason) == (state, f"{code}: amountTo is too small")
    assert gateway.invoices == {}


async def test_order_without_an_invoice_at_its_end_expires(
    payments: ServiceHarness, gateway: FakeGateway, clock: FixedClock
) -> None:
    gateway.trouble = GatewayUnavailable("away")
    await payments.deliver(an_order())
    await payments.run_jobs()

    gateway.trouble = None
    clock.advance(hours=1)
    await payments.run_jobs()

    assert await states(payments) == [PaymentState.EXPIRED]
    assert gateway.invoices == {}


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_cancelled_order_gets_no_invoice_whichever_message_comes_first(
    payments: ServiceHarness, gateway: FakeGateway, *, cancel_first: bool
) -> None:
    order = an_order()
    messages = (cancelled(order), order) if cancel_first else (order, cancelled(order))

    await payments.deliver(*messages, messages[0], messages[1])
    await payments.run_jobs()

    assert gateway.invoices == {}
    assert (await invoice(payments)).state == "cancelled"


async def test_money_for_a_cancelled_order_is_confirmed_all_the_same(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    order = an_order()
    await payments.deliver(order)
    await payments.run_jobs()
    await payments.deliver(cancelled(order))
    body = an_ipn(order.order_id)
    gateway.put(order.order_id)

    await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await payments.run_jobs()

    assert len(await payments.sent(PaymentConfirmed)) == 1


async def test_cancelling_a_paid_order_changes_nothing_here(
    payments: ServiceHarness, gateway: FakeGateway
) -> None:
    order = an_order()
    await payments.deliver(order)
    await payments.run_jobs()
    body = an_ipn(order.order_id)
    gateway.put(order.order_id)
    await payments.http.post("/webhooks/nowpayments", content=body, headers=signed(body))
    await payments.run_jobs()

    await payments.deliver(cancelled(order))

    assert (await invoice(payments)).state == "settled"


async def _break(payments: ServiceHarness, *, repair: bool) -> None:
    """Take away, or give back, a table every handler here needs."""
    before, after = ("moved", "invoices") if repair else ("invoices", "moved")
    async with payments.database.transaction() as transaction:
        await transaction.execute(sa.text(f"ALTER TABLE {before} RENAME TO {after}"))


@pytest.mark.parametrize("topic", ["order.placed", "order.cancelled"])
async def test_message_that_fails_for_a_while_has_its_effect_later(
    payments: ServiceHarness, clock: FixedClock, topic: str
) -> None:
    order = an_order()
    message = order if topic == "order.placed" else cancelled(order)
    await _break(payments, repair=False)
    await payments.deliver(message)

    await _break(payments, repair=True)
    clock.advance(seconds=2)
    await payments.run_jobs()
    await payments.deliver(order)

    expected = "invoiced" if topic == "order.placed" else "cancelled"
    await payments.run_jobs()
    assert (await invoice(payments)).state == expected
    async with payments.database.transaction() as transaction:
        assert (await transaction.execute(sa.select(dead_letters))).all() == []


@pytest.mark.parametrize("topic", ["order.placed", "order.cancelled"])
async def test_unreadable_message_is_kept_and_its_order_flagged(
    payments: ServiceHarness, topic: str
) -> None:
    order_id = new_id()

    await payments.deliver_raw(topic, b'{"type": "unknown.v9"}', key=str(order_id).encode())

    [message] = await payments.sent(PaymentUpdated)
    assert (message.order_id, message.state) == (order_id, PaymentState.NEEDS_ATTENTION)
    async with payments.database.transaction() as transaction:
        letters = (await transaction.execute(sa.select(dead_letters))).all()
    assert [letter.given_up_at is not None for letter in letters] == [True]


@pytest.mark.parametrize("topic", ["order.placed", "order.cancelled"])
async def test_message_that_always_fails_is_given_up_and_its_order_flagged(
    payments: ServiceHarness, clock: FixedClock, topic: str
) -> None:
    order, unstorable = an_order(), "PostgreSQL keeps no \0"
    if topic == "order.placed":
        await payments.deliver(order.model_copy(update={"description": unstorable}))
    else:
        await payments.deliver(order)
        await payments.deliver(cancelled(order).model_copy(update={"reason": unstorable}))

    for _ in range(6):
        clock.advance(minutes=6)
        await payments.run_jobs()

    told = [m for m in await payments.sent(PaymentUpdated) if "dead letter" in (m.reason or "")]
    assert [(m.order_id, m.state) for m in told] == [(order.order_id, PaymentState.NEEDS_ATTENTION)]
    async with payments.database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert (letter.topic, letter.given_up_at is not None) == (topic, True)


async def test_order_that_never_reached_us_is_flagged_without_a_price(
    payments: ServiceHarness,
) -> None:
    await payments.deliver_raw("order.placed", b"{}", key=str(new_id()).encode())

    [message] = await payments.sent(PaymentUpdated)
    assert message.price is None


async def test_unreadable_message_of_a_known_order_keeps_its_price(
    payments: ServiceHarness,
) -> None:
    order = an_order()
    await payments.deliver(order)

    await payments.deliver_raw("order.cancelled", b"{}", key=str(order.order_id).encode())

    [message] = await payments.sent(PaymentUpdated)
    assert message.price == order.total


async def test_message_is_not_acknowledged_while_postgresql_is_away(
    settings: PaymentsSettings, clock: FixedClock, gateway: FakeGateway
) -> None:
    async with ServiceHarness.start(build_service(settings, clock, gateway)) as payments:
        await payments.database.dispose()
        lost = payments.database.engine.url.set(port=9)
        broken = settings.model_copy(
            update={"database_url": type(settings.database_url)(_plain(lost))}
        )
        async with ServiceHarness.start(build_service(broken, clock, gateway)) as away:
            with pytest.raises(OSError, match="Connect"):
                await away.deliver(an_order(expires_at=clock.now() + timedelta(hours=1)))


def _plain(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
