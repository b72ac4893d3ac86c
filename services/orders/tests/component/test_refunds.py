"""What is owed back: one refund each, an address from the buyer, a transaction from a person."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from contracts import EmailRequested, FulfillmentState, PaymentState, Refundable
from contracts.testing import a_fulfillment_updated, a_payment_updated
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters import refund_repository
from orders.bootstrap import build_app
from orders.domain.order import Order
from orders.domain.refund import Refund
from orders.domain.states import LineStatus, OrderStatus
from orders.settings import OrdersSettings
from orders.testing import a_line, a_paid_order, an_order, bearer, keep, mails, stored
from servicekit.testing import ServiceHarness

Headers = dict[str, str]
BTC = {"coin": "btc", "address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}
TRON = {"coin": "usdttrc20", "address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}
TX = "a1b2c3d4e5f60718"


@pytest.fixture
async def order(orders: ServiceHarness) -> Order:
    """A paid order of two lines, the first of which is owed back."""
    order = a_paid_order(a_line(), a_line(title="Star Ship", quantity=2))
    await keep(orders, order)
    await fail(orders, order, 0)
    return order


@pytest.fixture
def buyer(settings: OrdersSettings, order: Order) -> Headers:
    return bearer(settings, order)


async def fail(orders: ServiceHarness, order: Order, *positions: int) -> None:
    """Nobody can deliver these lines; said twice, as Kafka may."""
    for position in positions:
        line_id = order.lines[position].id
        message = a_fulfillment_updated(
            order_id=order.id, line_id=line_id, state=FulfillmentState.FAILED
        )
        await orders.deliver(message, message.model_copy(update={"id": new_id()}))


async def refunds_of(orders: ServiceHarness, order: Order) -> Sequence[Refund]:
    async with orders.database.transaction() as transaction:
        return await refund_repository.of_order(transaction, order.id)


async def give(
    orders: ServiceHarness, order: Order, headers: Headers, body: dict[str, str]
) -> httpx.Response:
    return await orders.http.post(f"/orders/{order.id}/refund", json=body, headers=headers)


async def send(
    orders: ServiceHarness, refund: Refund, admin: Headers, tx_hash: str = TX
) -> httpx.Response:
    body = {"tx_hash": tx_hash, "reason": "sent from the hot wallet"}
    return await orders.http.post(f"/admin/refunds/{refund.id}/sent", json=body, headers=admin)


async def audited(orders: ServiceHarness, admin: Headers) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await orders.http.get("/admin/audit", headers=admin)).json()[
        "items"
    ]
    return found


async def more_money(
    orders: ServiceHarness, order: Order, amount: str, payment_id: str = "77"
) -> None:
    owed = Refundable(amount=Decimal(amount), currency="xrp")
    message = a_payment_updated(
        order_id=order.id, state=PaymentState.MORE_MONEY, payment_id=payment_id, refundable=owed
    )
    await orders.deliver(message, message.model_copy(update={"id": new_id()}))


async def test_line_that_is_owed_back_has_one_refund_over_its_price(
    orders: ServiceHarness, order: Order
) -> None:
    await fail(orders, order, 1)

    first, second = await refunds_of(orders, order)

    assert [first.line_id, second.line_id] == [line.id for line in order.lines]
    assert (first.amount, first.currency, first.state) == (Decimal(25), "USD", "due")
    assert second.amount == Decimal(50)


async def test_buyer_is_told_each_step_once_and_the_link_holds_the_token(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    [refund] = await refunds_of(orders, order)
    for _ in range(2):
        await mails(orders)
    await give(orders, order, buyer, BTC)
    for _ in range(2):
        await mails(orders)
    await send(orders, refund, admin)

    due, given, sent = await mails(orders)

    assert [due[0], given[0], sent[0]] == ["refund_due", "refund_address", "refund_sent"]
    token = buyer["Authorization"].removeprefix("Bearer ")
    assert f"/refunds/{order.id}#{token}" in due[1]
    assert "25.00 USD for Moon Farmer" in due[1]
    assert BTC["address"] in given[1]
    assert TX in sent[1]
    assert f"/refunds/{order.id}#{token}" in sent[1]
    requests = await orders.sent(EmailRequested)
    assert len({(request.kind, request.subject_key) for request in requests}) == 3


async def test_lines_owed_together_are_told_in_one_mail(
    orders: ServiceHarness, order: Order
) -> None:
    await fail(orders, order, 1)

    [(_, text)] = await mails(orders)

    assert "25.00 USD for Moon Farmer" in text
    assert "50.00 USD for Star Ship" in text


async def test_address_can_be_changed_until_the_money_is_sent(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    [refund] = await refunds_of(orders, order)
    first = await give(orders, order, buyer, BTC)
    again = await give(orders, order, buyer, BTC)
    changed = await give(orders, order, buyer, TRON)
    await send(orders, refund, admin)
    late = await give(orders, order, buyer, BTC)

    assert [first.status_code, again.status_code, changed.status_code] == [200, 200, 200]
    assert (late.status_code, "sent already" in late.json()["detail"]) == (409, True)
    shown = (await orders.http.get(f"/orders/{order.id}/refund", headers=buyer)).json()
    assert (shown["coin"], shown["address"]) == (TRON["coin"], TRON["address"])
    assert (shown["can_be_changed"], shown["refunds"][0]["tx_hash"]) == (False, TX)
    assert (await refunds_of(orders, order))[0].address_version == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"coin": "btc", "address": TRON["address"]}, "address"),
        ({"coin": "xrp", "address": "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"}, "coin"),
        ({"coin": "btc", "address": ""}, "address"),
        ({"coin": "btc"}, "address"),
        ({**BTC, "amount": "1000"}, "amount"),
    ],
)
async def test_wrong_address_is_refused_with_the_field_and_never_repeated(
    orders: ServiceHarness, order: Order, buyer: Headers, body: dict[str, str], field: str
) -> None:
    answer = await give(orders, order, buyer, body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "rEb8" not in answer.text
    assert TRON["address"] not in answer.text
    assert (await refunds_of(orders, order))[0].destination is None


async def test_only_the_order_s_own_token_opens_its_refund(
    orders: ServiceHarness, order: Order, settings: OrdersSettings
) -> None:
    foreign = bearer(settings, an_order())

    answers = [
        await orders.http.get(f"/orders/{order.id}/refund"),
        await orders.http.get(f"/orders/{order.id}/refund", headers=foreign),
        await give(orders, order, foreign, BTC),
        await give(orders, order, {}, BTC),
    ]

    assert {answer.status_code for answer in answers} == {404}


async def test_refund_is_open_to_its_buyer_long_after_delivery(
    orders: ServiceHarness, settings: OrdersSettings, clock: FixedClock
) -> None:
    order = a_paid_order()
    order.move_line(order.lines[0], LineStatus.DELIVERED, clock.now())
    await keep(orders, order)
    clock.advance(hours=24 * 20)
    await more_money(orders, order, "5.5")

    page = await orders.http.get(f"/orders/{order.id}", headers=bearer(settings, order))
    refund = await give(orders, order, bearer(settings, order), BTC)

    assert (page.status_code, refund.status_code) == (404, 200)


async def test_nothing_owed_takes_no_address(
    orders: ServiceHarness, settings: OrdersSettings
) -> None:
    order = a_paid_order()
    await keep(orders, order)

    answer = await give(orders, order, bearer(settings, order), BTC)

    assert (answer.status_code, "nothing" in answer.json()["detail"]) == (409, True)


async def test_sent_refund_moves_its_line_alone_and_is_on_record_once(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await fail(orders, order, 1)
    first, second = await refunds_of(orders, order)

    answers = [await send(orders, first, admin), await send(orders, first, admin)]
    other = await send(orders, first, admin, "ffffffff00000000")

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (other.status_code, TX in other.json()["detail"]) == (409, True)
    lines = (await stored(orders, order)).lines
    assert [line.status for line in lines] == [LineStatus.REFUNDED, LineStatus.REFUND_DUE]
    entries = [e for e in await audited(orders, admin) if e["action"] == "refund.sent"]
    assert [(e["subject"], e["reason"]) for e in entries] == [
        (str(first.id), "sent from the hot wallet")
    ]
    assert (await send(orders, second, admin)).status_code == 200
    assert (await stored(orders, order)).status is OrderStatus.REFUNDED


async def test_two_people_who_send_it_at_once_are_told_apart(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    [refund] = await refunds_of(orders, order)

    answers = await asyncio.gather(
        send(orders, refund, admin, "1111111111"), send(orders, refund, admin, "2222222222")
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sum(e["action"] == "refund.sent" for e in await audited(orders, admin)) == 1


async def test_refund_nobody_knows_is_not_found(orders: ServiceHarness, admin: Headers) -> None:
    url = f"/admin/refunds/{new_id()}/sent"

    answer = await orders.http.post(url, json={"tx_hash": TX, "reason": "x"}, headers=admin)

    assert answer.status_code == 404


async def test_mark_refunded_sends_the_refunds_of_all_lines(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await more_money(orders, order, "5.5")
    body = {"action": "mark_refunded", "reason": "by hand", "tx_hash": TX}

    answer = await orders.http.post(f"/admin/orders/{order.id}/actions", json=body, headers=admin)

    assert answer.status_code == 200
    states = {refund.line_id: refund.state for refund in await refunds_of(orders, order)}
    assert states == {order.lines[0].id: "sent", None: "due"}
    [(_, due), (_, sent)] = await mails(orders)
    assert "payment 77" in due
    assert "payment 77" not in sent


async def test_admin_lists_refunds_by_state_in_pages(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    await fail(orders, order, 1)
    await give(orders, order, buyer, BTC)
    other = a_paid_order()
    await keep(orders, other)
    await fail(orders, other, 0)
    url = "/admin/refunds?state=address_given&limit=1"

    first = (await orders.http.get(url, headers=admin)).json()
    second = (await orders.http.get(f"{url}&cursor={first['next_cursor']}", headers=admin)).json()

    shown = first["items"] + second["items"]
    assert {row["item_id"] for row in shown} == {str(line.id) for line in order.lines}
    assert {row["address"] for row in shown} == {BTC["address"]}
    assert second["next_cursor"] is None
    assert (await orders.http.get(url)).status_code in {401, 403}


async def test_refund_of_money_the_gateway_gave_back_warns_who_would_send_it_again(
    orders: ServiceHarness, order: Order, admin: Headers
) -> None:
    await more_money(orders, order, "5.5")
    await orders.deliver(
        a_payment_updated(
            order_id=order.id, state=PaymentState.REFUNDED, payment_id="77", reason="given back"
        )
    )

    rows = (await orders.http.get("/admin/refunds", headers=admin)).json()["items"]

    assert {tuple(row["order_attention"]) for row in rows} == {("payment refunded: given back",)}


async def test_order_page_tells_what_is_owed_in_plain_words_without_the_address(
    orders: ServiceHarness, order: Order, buyer: Headers
) -> None:
    await give(orders, order, buyer, BTC)

    page = await orders.http.get(f"/orders/{order.id}", headers=buyer)

    [owed] = page.json()["refunds"]
    assert owed["text"].startswith("25.00 USD for Moon Farmer. We have your address")
    assert BTC["address"] not in page.text


async def test_address_is_in_no_repr(orders: ServiceHarness, order: Order, buyer: Headers) -> None:
    await give(orders, order, buyer, BTC)

    [refund] = await refunds_of(orders, order)

    assert BTC["address"] not in repr(replace(refund))


@pytest.mark.parametrize(
    ("origin", "allowed"), [("http://127.0.0.1:8000", True), ("https://elsewhere.example", False)]
)
async def test_only_the_shop_s_own_pages_may_ask_from_a_browser(
    settings: OrdersSettings, origin: str, *, allowed: bool
) -> None:
    transport = httpx.ASGITransport(build_app(settings))
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    async with httpx.AsyncClient(transport=transport, base_url="http://orders") as client:
        answer = await client.options(f"/orders/{new_id()}/refund", headers=asked)

    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
