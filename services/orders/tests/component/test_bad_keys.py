"""Keys that do not work: reported once, decided once, replaced or paid back."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from contracts import (
    DeliveryState,
    FulfillmentRequestedCustom,
    FulfillmentState,
    SourceType,
)
from contracts.testing import a_delivery_updated, a_fulfillment_updated
from foundation.clock import new_id
from foundation.testing import FixedClock
from orders.adapters import refund_repository
from orders.adapters.metrics import READINGS
from orders.adapters.tables import bad_key_cases
from orders.domain.catalogue import Product
from orders.domain.order import Line, Order
from orders.domain.states import LineStatus, OrderStatus
from orders.settings import OrdersSettings
from orders.testing import a_line, a_paid_order, a_product, an_order, bearer, keep, stored
from orders.testing import mails as all_mails
from servicekit.testing import ServiceHarness
from webkit.testing import admin_token
from webkit.tokens import TokenSigner

Headers = dict[str, str]


@pytest.fixture
def product() -> Product:
    return a_product()


@pytest.fixture
async def order(orders: ServiceHarness, product: Product) -> Order:
    """A delivered order of one line from Kinguin."""
    line = a_line(product_id=product.id, source_type=SourceType.KINGUIN, kinguin_product_id="5c9b")
    order = a_paid_order(line)
    await keep(orders, product, order)
    await deliver(orders, order, line)
    return order


@pytest.fixture
def buyer(settings: OrdersSettings, order: Order) -> Headers:
    return bearer(settings, order)


async def deliver(orders: ServiceHarness, order: Order, line: Line) -> None:
    await orders.deliver(
        a_delivery_updated(
            order_id=order.id,
            line_id=line.id,
            state=DeliveryState.MAILED,
            ready_at=order.placed_at,
        )
    )


async def report(
    orders: ServiceHarness, order: Order, headers: Headers, reason: str = "It was used already."
) -> httpx.Response:
    url = f"/orders/{order.id}/items/{order.lines[0].id}/report"
    return await orders.http.post(url, json={"reason": reason}, headers=headers)


async def resolve(
    orders: ServiceHarness, case_id: str, admin: Headers, action: str, **fields: str
) -> httpx.Response:
    body = {"action": action, "reason": "the maker confirmed it", **fields}
    return await orders.http.post(f"/admin/bad-keys/{case_id}/resolve", json=body, headers=admin)


async def opened(orders: ServiceHarness, order: Order, buyer: Headers) -> str:
    answer = await report(orders, order, buyer)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def mails(orders: ServiceHarness) -> Mapping[str, str]:
    """The text of each mail by its kind, each with its link; every kind at most once."""
    sent = await all_mails(orders)
    assert len(dict(sent)) == len(sent)
    assert all(re.search(r"/(orders|refunds)/[0-9a-f-]{36}#[\w.-]+\n", text) for _, text in sent)
    return dict(sent)


async def audited(orders: ServiceHarness, admin: Headers) -> list[dict[str, Any]]:
    rows = (await orders.http.get("/admin/audit", headers=admin)).json()["items"]
    return [row for row in rows if row["action"] == "bad_key.resolved"]


async def test_key_is_reported_once_and_its_buyer_told_once(
    orders: ServiceHarness, order: Order, buyer: Headers
) -> None:
    answers = await asyncio.gather(*(report(orders, order, buyer) for _ in range(3)))
    answers.append(await report(orders, order, buyer, "another text"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert list(await mails(orders)) == ["bad_key_received"]
    [item] = (await orders.http.get(f"/orders/{order.id}/bad-keys", headers=buyer)).json()["items"]
    assert (item["case"]["state"], item["report_until"]) == ("open", None)
    assert "used already" not in str(item)


async def test_key_can_be_reported_after_the_order_page_has_closed_and_not_for_ever(
    orders: ServiceHarness, order: Order, buyer: Headers, clock: FixedClock
) -> None:
    clock.advance(hours=24 * 14 - 1)
    page = await orders.http.get(f"/orders/{order.id}", headers=buyer)
    [item] = (await orders.http.get(f"/orders/{order.id}/bad-keys", headers=buyer)).json()["items"]
    clock.advance(hours=1)
    late = await report(orders, order, buyer)
    rows = (await orders.http.get(f"/orders/{order.id}/bad-keys", headers=buyer)).json()["items"]

    assert (page.status_code, item["case"], rows) == (404, None, [])
    assert item["report_until"] is not None
    assert (late.status_code, "14 days" in late.json()["detail"]) == (409, True)


async def test_line_without_a_key_cannot_be_reported(
    orders: ServiceHarness, settings: OrdersSettings
) -> None:
    order = a_paid_order()
    await keep(orders, order)

    answer = await report(orders, order, bearer(settings, order))

    assert (answer.status_code, "no key" in answer.json()["detail"]) == (409, True)


async def test_only_the_order_s_own_token_reports_its_own_lines(
    orders: ServiceHarness, order: Order, buyer: Headers, settings: OrdersSettings
) -> None:
    other = an_order()
    await keep(orders, other)
    url = f"/orders/{order.id}/items/{other.lines[0].id}/report"

    answers = [
        await report(orders, order, {}),
        await report(orders, order, bearer(settings, other)),
        await orders.http.get(f"/orders/{order.id}/bad-keys"),
        await orders.http.post(url, json={"reason": "x"}, headers=buyer),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "no\x00", "key ABCD1-EFGH2-IJKL3"])
async def test_wrong_reason_is_refused_and_a_key_in_it_is_not_kept(
    orders: ServiceHarness, order: Order, buyer: Headers, reason: str
) -> None:
    answer = await report(orders, order, buyer, reason)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["reason"]
    assert "EFGH2" not in answer.text
    assert await mails(orders) == {}


async def test_replacement_is_asked_of_own_stock_as_any_paid_line(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)

    answer = await resolve(orders, case_id, admin, "replace", supplier_reference="T-1")

    assert (answer.status_code, answer.json()["state"]) == (200, "replaced")
    [asked] = await orders.sent(FulfillmentRequestedCustom)
    now = await stored(orders, order)
    [first, second] = now.lines
    assert (asked.line_id, asked.quantity, asked.backorder) == (second.id, 1, True)
    assert (first.status, second.status) == (LineStatus.DELIVERED, LineStatus.REQUESTED)
    assert (second.unit_price, second.replaces) == (Decimal(0), first.id)
    assert (now.total, now.status) == (order.total, OrderStatus.FULFILLING)
    assert set(await mails(orders)) == {"bad_key_received", "bad_key_replaced"}
    [entry] = await audited(orders, admin)
    assert (entry["subject"], entry["after"]["supplier_reference"]) == (case_id, "T-1")

    await deliver(orders, order, second)
    assert (await stored(orders, order)).status is OrderStatus.FULFILLED
    rows = (await orders.http.get(f"/orders/{order.id}/bad-keys", headers=buyer)).json()["items"]
    assert [(row["item_id"], row["case"] is None) for row in rows] == [
        (str(first.id), False),
        (str(second.id), True),
    ]


async def test_replacement_without_stock_or_backorder_is_refused_plainly(
    orders: ServiceHarness, settings: OrdersSettings, admin: Headers
) -> None:
    product = a_product(backorder=False)
    order = a_paid_order(a_line(product_id=product.id))
    await keep(orders, product, order)
    await deliver(orders, order, order.lines[0])
    case_id = await opened(orders, order, bearer(settings, order))

    answer = await resolve(orders, case_id, admin, "replace")

    assert (answer.status_code, "no free key" in answer.json()["detail"]) == (409, True)
    assert len((await stored(orders, order)).lines) == 1
    assert await audited(orders, admin) == []
    [row] = (await orders.http.get("/admin/bad-keys", headers=admin)).json()["items"]
    assert (row["id"], row["actor"]) == (case_id, None)


async def test_replacement_that_nobody_can_give_owes_the_price_of_the_first_line(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    await resolve(orders, await opened(orders, order, buyer), admin, "replace")
    second = (await stored(orders, order)).lines[1]

    await orders.deliver(
        a_fulfillment_updated(
            order_id=order.id, line_id=second.id, state=FulfillmentState.FAILED, reason="sold out"
        )
    )

    async with orders.database.transaction() as transaction:
        [refund] = await refund_repository.of_order(transaction, order.id)
    assert (refund.line_id, refund.amount) == (second.id, Decimal(25))


async def test_replacement_long_after_payment_is_not_given_up_before_its_time(
    orders: ServiceHarness,
    order: Order,
    buyer: Headers,
    settings: OrdersSettings,
    clock: FixedClock,
) -> None:
    clock.advance(hours=24 * 10)
    token = admin_token(TokenSigner(settings.token_signing_keys), now=clock.now())
    admin = {"Authorization": f"Bearer {token}"}
    await resolve(orders, await opened(orders, order, buyer), admin, "replace")

    clock.advance(hours=12)
    await orders.run_jobs()
    assert (await stored(orders, order)).lines[1].cancellation is None
    clock.advance(hours=60)
    await orders.run_jobs()

    assert (await stored(orders, order)).lines[1].cancellation is not None


async def test_refund_owes_the_line_back_and_its_own_mails_tell_so(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)

    answer = await resolve(orders, case_id, admin, "refund")

    assert (answer.status_code, answer.json()["state"]) == (200, "refunded")
    assert (await stored(orders, order)).lines[0].status is LineStatus.REFUND_DUE
    assert set(await mails(orders)) == {"bad_key_received", "refund_due"}
    page = (await orders.http.get(f"/orders/{order.id}/bad-keys", headers=buyer)).json()
    assert "owed back" in page["items"][0]["case"]["text"]


async def test_rejection_tells_its_reason(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)

    answer = await resolve(orders, case_id, admin, "reject", reason="It was never activated.")

    assert answer.json()["state"] == "rejected"
    assert "It was never activated." in (await mails(orders))["bad_key_rejected"]
    again = await report(orders, order, buyer)
    assert again.json()["text"].endswith("It was never activated.")
    assert (await stored(orders, order)).status is OrderStatus.FULFILLED


async def test_same_decision_again_is_answered_and_any_other_refused(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)

    first = await resolve(orders, case_id, admin, "replace")
    again = await resolve(orders, case_id, admin, "replace")
    other = await resolve(orders, case_id, admin, "refund")

    assert first.json() == again.json()
    assert (other.status_code, "replaced already" in other.json()["detail"]) == (409, True)
    assert len((await stored(orders, order)).lines) == 2
    assert len(await audited(orders, admin)) == 1


async def test_two_people_who_decide_at_once_are_told_apart(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)

    answers = await asyncio.gather(
        *(resolve(orders, case_id, admin, action) for action in ("replace", "refund", "reject"))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(await audited(orders, admin)) == 1


async def test_line_that_is_owed_back_meanwhile_can_only_be_rejected(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)
    body = {"action": "cancel", "reason": "by mistake"}
    await orders.http.post(f"/admin/orders/{order.id}/actions", json=body, headers=admin)

    answers = [await resolve(orders, case_id, admin, a) for a in ("replace", "refund", "reject")]

    assert [answer.status_code for answer in answers] == [409, 409, 200]


async def test_replaced_line_cannot_be_cancelled_any_more(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    await resolve(orders, await opened(orders, order, buyer), admin, "replace")
    body = {"action": "cancel", "reason": "x", "line_ids": [str(order.lines[0].id)]}

    answer = await orders.http.post(f"/admin/orders/{order.id}/actions", json=body, headers=admin)

    assert answer.status_code == 409


async def test_open_cases_are_listed_in_pages_with_the_most_urgent_first(
    orders: ServiceHarness,
    order: Order,
    buyer: Headers,
    admin: Headers,
    settings: OrdersSettings,
) -> None:
    own = a_paid_order(a_line())
    await keep(orders, own)
    await deliver(orders, own, own.lines[0])
    await opened(orders, own, bearer(settings, own))
    urgent = await opened(orders, order, buyer)
    url = "/admin/bad-keys?limit=1"

    first = (await orders.http.get(url, headers=admin)).json()
    second = (await orders.http.get(f"{url}&cursor={first['next_cursor']}", headers=admin)).json()
    await resolve(orders, urgent, admin, "reject")
    rejected = (await orders.http.get(f"{url}&state=rejected", headers=admin)).json()["items"]

    assert (first["items"][0]["id"], first["items"][0]["return_until"] is None) == (urgent, False)
    assert (second["items"][0]["order_id"], second["next_cursor"]) == (str(own.id), None)
    assert [row["id"] for row in rejected] == [urgent]
    assert (await orders.http.get(url)).status_code in {401, 403}


async def figures(orders: ServiceHarness, *, due_in_s: int = 0) -> Mapping[str, float]:
    """What the readings show of an open case of an hour, sums over their labels."""
    due_at = sa.func.now() + timedelta(seconds=due_in_s)
    moments = {"due_at": due_at, "opened_at": sa.func.now() - timedelta(hours=1)}
    wanted = [reading for reading in READINGS if reading.name.startswith("bad_key_cases")]
    async with orders.database.transaction() as transaction:
        await transaction.execute(sa.update(bad_key_cases).values(moments))
        return {
            r.name: sum(x.value or 0 for x in await transaction.execute(r.query)) for r in wanted
        }


async def test_open_case_counts_as_due_from_its_moment_on_until_it_is_decided(
    orders: ServiceHarness, order: Order, buyer: Headers, admin: Headers
) -> None:
    case_id = await opened(orders, order, buyer)
    before, due = await figures(orders, due_in_s=60), await figures(orders)
    await resolve(orders, case_id, admin, "reject")

    assert (before["bad_key_cases"], before["bad_key_cases_due"]) == (1, 0)
    assert (due["bad_key_cases"], due["bad_key_cases_due"]) == (1, 1)
    assert due["bad_key_cases_oldest_open_age_seconds"] >= 3600
    after = await figures(orders)
    assert after == {
        "bad_key_cases": 1,
        "bad_key_cases_due": 0,
        "bad_key_cases_oldest_open_age_seconds": 0,
    }


async def test_case_nobody_knows_is_not_found(orders: ServiceHarness, admin: Headers) -> None:
    assert (await resolve(orders, str(new_id()), admin, "reject")).status_code == 404


@pytest.mark.parametrize("cursor", ["nonsense", "WyIyMDI2LTAxLTAxIiwgIjEiXQ"])
async def test_forged_cursor_is_refused(
    orders: ServiceHarness, admin: Headers, cursor: str
) -> None:
    answer = await orders.http.get(f"/admin/bad-keys?cursor={cursor}", headers=admin)

    assert answer.status_code == 422
