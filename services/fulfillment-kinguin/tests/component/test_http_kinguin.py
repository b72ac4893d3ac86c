"""The admin pages' data, the actions, and Kinguin's webhook."""

import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState, KeyReady, StockReturned
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import audit_log
from fulfillment_kinguin.errors import NotSupported, SupplierError, Unauthorized, Unclear
from fulfillment_kinguin.testing import (
    OFFER_ID,
    PRODUCT_ID,
    SIGNER,
    WEBHOOK_SECRET,
    FakeSupplier,
    a_request,
    answers,
    purchase_states,
    work,
)
from servicekit.testing import ServiceHarness
from webkit.testing import admin_token
from webkit.tokens import Role

Headers = dict[str, str]
S = FulfillmentState
EVENT = {"X-Event-Name": "order.status", "X-Event-Secret": WEBHOOK_SECRET}


async def purchases(kinguin: ServiceHarness, admin: Headers, **query: str) -> list[dict[str, Any]]:
    answer = await kinguin.http.get("/admin/purchases", params=query, headers=admin)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def act(kinguin: ServiceHarness, admin: Headers, purchase_id: str, action: str) -> int:
    answer = await kinguin.http.post(
        f"/admin/purchases/{purchase_id}/actions",
        json={"action": action, "reason": "asked by support"},
        headers=admin,
    )
    return answer.status_code


async def test_products_are_found_by_name(kinguin: ServiceHarness, admin: Headers) -> None:
    answer = await kinguin.http.get(
        "/admin/kinguin/products", params={"name": "ember"}, headers=admin
    )

    [product] = answer.json()["items"]
    assert product["product_id"] == PRODUCT_ID
    assert product["price"] == {"amount": "4.31", "currency": "EUR"}
    assert product["offers"][0]["offer_id"] == OFFER_ID
    assert answer.json()["next_cursor"] is None


@pytest.mark.parametrize("name", ["", "ab", "x" * 101])
async def test_search_for_too_short_or_long_a_name_is_refused(
    kinguin: ServiceHarness, admin: Headers, name: str
) -> None:
    answer = await kinguin.http.get("/admin/kinguin/products", params={"name": name}, headers=admin)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "name"


async def test_one_product_is_shown_or_not_found(kinguin: ServiceHarness, admin: Headers) -> None:
    found = await kinguin.http.get(f"/admin/kinguin/products/{PRODUCT_ID}", headers=admin)
    missing = await kinguin.http.get("/admin/kinguin/products/abc123", headers=admin)

    assert (found.status_code, missing.status_code) == (200, 404)
    assert missing.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "status"),
    [(Unclear("x"), 503), (Unauthorized("x"), 502), (NotSupported("cannot search"), 501)],
)
async def test_trouble_with_kinguin_is_a_plain_problem(
    kinguin: ServiceHarness,
    admin: Headers,
    supplier: FakeSupplier,
    error: SupplierError,
    status: int,
) -> None:
    supplier.errors["balance"] = error

    answer = await kinguin.http.get("/admin/balance", headers=admin)

    assert answer.status_code == status


async def test_balance_is_told_in_euros(
    kinguin: ServiceHarness, admin: Headers, supplier: FakeSupplier
) -> None:
    supplier.set_faults(balance=Decimal("12.45"))

    answer = await kinguin.http.get("/admin/balance", headers=admin)

    assert answer.json() == {"balance": {"amount": "12.45", "currency": "EUR"}}


async def test_purchases_are_listed_by_state_page_by_page(
    kinguin: ServiceHarness, clock: FixedClock, admin: Headers
) -> None:
    await kinguin.deliver(a_request(), a_request())
    await work(kinguin, clock)
    waiting = a_request()
    await kinguin.deliver(waiting)

    [planned] = await purchases(kinguin, admin, state="planned")
    assert planned["line_id"] == str(waiting.line_id)
    first = await kinguin.http.get("/admin/purchases", params={"limit": 2}, headers=admin)
    rest = await kinguin.http.get(
        "/admin/purchases",
        params={"limit": 2, "cursor": first.json()["next_cursor"]},
        headers=admin,
    )

    ids = [item["id"] for page in (first, rest) for item in page.json()["items"]]
    assert len(ids) == len(set(ids)) == 3
    [ready, _] = await purchases(kinguin, admin, state="keys_ready")
    assert ready["price_charged"] == {"amount": "4.31000000", "currency": "EUR"}
    assert ready["keys"] == 1


async def test_poll_now_looks_at_once_and_is_audited(
    kinguin: ServiceHarness, admin: Headers
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    [purchase] = await purchases(kinguin, admin)

    assert await act(kinguin, admin, purchase["id"], "poll_now") == 200
    await kinguin.run_jobs()

    assert len(await kinguin.sent(KeyReady)) == 1
    async with kinguin.database.transaction() as transaction:
        [row] = (await transaction.execute(sa.select(audit_log))).all()
    assert (row.actor, row.action, row.reason) == ("test-admin", "poll_now", "asked by support")


async def test_search_again_takes_a_stuck_purchase_up(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1)
    supplier.errors["orders_of"] = Unclear("HTTP 500")
    await kinguin.deliver(a_request())
    await work(kinguin, clock, 24 * 3600)
    supplier.errors.clear()
    admin = {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
    [purchase] = await purchases(kinguin, admin, state="needs_attention")

    assert await act(kinguin, admin, purchase["id"], "search_again") == 200
    await work(kinguin, clock)

    assert len(await kinguin.sent(KeyReady)) == len(supplier.ledger) == 1


async def test_lost_order_that_is_there_all_the_same_is_not_given_up(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1)
    supplier.errors["orders_of"] = Unclear("HTTP 500")
    await kinguin.deliver(a_request())
    await work(kinguin, clock, 24 * 3600)
    admin = {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
    [purchase] = await purchases(kinguin, admin, state="needs_attention")

    assert await act(kinguin, admin, purchase["id"], "give_up") == 503
    supplier.errors.clear()
    assert await act(kinguin, admin, purchase["id"], "give_up") == 409

    assert await purchase_states(kinguin) == ["needs_attention"]
    assert await answers(kinguin) == [S.NEEDS_ATTENTION]


async def test_giving_up_fails_the_line_and_late_keys_that_are_not_taken_back_are_stock(
    kinguin: ServiceHarness, clock: FixedClock, admin: Headers, supplier: FakeSupplier
) -> None:
    supplier.set_faults(refuse_return=True)
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    [purchase] = await purchases(kinguin, admin)

    assert await act(kinguin, admin, purchase["id"], "give_up") == 200
    await work(kinguin, clock)

    assert await answers(kinguin) == [S.FAILED]
    assert len(await kinguin.sent(StockReturned)) == 1
    assert await kinguin.sent(KeyReady) == []


async def test_giving_up_a_planned_purchase_buys_nothing(
    kinguin: ServiceHarness, clock: FixedClock, admin: Headers, supplier: FakeSupplier
) -> None:
    await kinguin.deliver(a_request())
    [purchase] = await purchases(kinguin, admin)

    assert await act(kinguin, admin, purchase["id"], "give_up") == 200
    await work(kinguin, clock)

    assert supplier.calls["place"] == 0
    assert await purchase_states(kinguin) == ["failed"]
    assert await answers(kinguin) == [S.FAILED]


async def test_action_that_does_not_fit_is_refused(
    kinguin: ServiceHarness, clock: FixedClock, admin: Headers
) -> None:
    await kinguin.deliver(a_request())
    [planned] = await purchases(kinguin, admin)
    refused = [
        await act(kinguin, admin, planned["id"], action) for action in ("poll_now", "search_again")
    ]
    await work(kinguin, clock)

    assert refused == [409, 409]
    assert await act(kinguin, admin, planned["id"], "give_up") == 409
    assert await act(kinguin, admin, str(new_id()), "poll_now") == 404
    assert await act(kinguin, admin, planned["id"], "buy_again") == 422


async def test_viewers_may_look_and_not_act(
    kinguin: ServiceHarness, clock: FixedClock, admin: Headers
) -> None:
    viewer = {"Authorization": f"Bearer {admin_token(SIGNER, Role.VIEWER, now=clock.now())}"}
    await kinguin.deliver(a_request())
    [purchase] = await purchases(kinguin, viewer)

    assert await act(kinguin, viewer, purchase["id"], "give_up") == 403
    assert await act(kinguin, {}, purchase["id"], "give_up") == 401
    assert admin != viewer


@pytest.mark.parametrize("name", ["order.status", "order.complete"])
async def test_webhook_of_an_order_polls_it_at_once(
    kinguin: ServiceHarness, supplier: FakeSupplier, name: str
) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    body = json.dumps({"orderId": supplier.ledger[0].order_id, "status": "completed"})

    answer = await kinguin.http.post(
        "/webhooks/kinguin",
        content=body,
        headers={**EVENT, "X-Event-Name": name, "Content-Type": "aplication/json"},
    )
    await kinguin.run_jobs()

    assert (answer.status_code, answer.content) == (204, b"")
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_webhook_of_an_order_we_lost_searches_at_once(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier
) -> None:
    supplier.set_faults(drop_answer_after_work=1)
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()
    [order] = supplier.ledger

    body = {"orderId": order.order_id, "orderExternalId": order.external_id}
    await kinguin.http.post("/webhooks/kinguin", json=body, headers=EVENT)
    await kinguin.run_jobs()

    assert await purchase_states(kinguin) == ["placed"]
    await work(kinguin, clock)
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_webhook_is_a_hint_and_what_it_says_is_not_believed(
    kinguin: ServiceHarness, supplier: FakeSupplier
) -> None:
    supplier.set_faults(stuck=True)
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()

    body = {"orderId": supplier.ledger[0].order_id, "status": "canceled"}
    await kinguin.http.post("/webhooks/kinguin", json=body, headers=EVENT)
    await kinguin.run_jobs()

    assert await purchase_states(kinguin) == ["placed"]
    assert await answers(kinguin) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("order.status", '{"orderId": "NOBODYS", "orderExternalId": null}'),
        ("product.update", '{"kinguinId": 1001}'),
        ("order.status", "not json"),
        ("order.status", '{"orderId": 5}'),
        ("", ""),
    ],
)
async def test_webhook_that_says_nothing_to_us_is_taken_and_ignored(
    kinguin: ServiceHarness, name: str, body: str
) -> None:
    answer = await kinguin.http.post(
        "/webhooks/kinguin", content=body, headers={**EVENT, "X-Event-Name": name}
    )

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("secret", [None, "", "wrong", WEBHOOK_SECRET + " x", "söcret"])
async def test_webhook_with_a_wrong_secret_is_refused(
    kinguin: ServiceHarness, secret: str | None
) -> None:
    headers: dict[str, str | bytes] = {"X-Event-Name": "order.status"}
    if secret is not None:
        headers["X-Event-Secret"] = secret.encode()

    answer = await kinguin.http.post("/webhooks/kinguin", content="{}", headers=headers)  # type: ignore[arg-type]  # bytes go out as they are

    assert answer.status_code == 401
    assert WEBHOOK_SECRET not in answer.text


async def test_oversized_webhook_is_refused(kinguin: ServiceHarness) -> None:
    answer = await kinguin.http.post(
        "/webhooks/kinguin", content=b"x" * (64 * 1024 + 1), headers=EVENT
    )

    assert answer.status_code == 413
