"""The webhook's answers, what is stored and what is not, and what admins see."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.tables import ipns
from payments.bootstrap import build_service
from payments.handlers.receive_ipn import STORE_TIMEOUT_S
from payments.settings import PaymentsSettings
from payments.testing import (
    OLD_IPN_SECRET,
    SIGNER,
    FakeGateway,
    an_ipn,
    an_order,
    signed,
)
from pydantic import SecretStr
from servicekit.testing import ServiceHarness
from webkit.testing import order_token

Headers = dict[str, str]
URL = "/webhooks/nowpayments"


async def stored(payments: ServiceHarness) -> list[bytes]:
    async with payments.database.transaction() as transaction:
        return list(await transaction.scalars(sa.select(ipns.c.body)))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: signed(body, "somebody-elses-secret"),
        lambda _body: {},
        lambda body: {"x-nowpayments-sig": signed(body)["x-nowpayments-sig"][:-2]},
        lambda body: signed(body + b" "),
    ],
    ids=["forged", "missing", "cut", "of another body"],
)
async def test_unsigned_notification_is_refused_counted_and_not_stored(
    payments: ServiceHarness, change: Callable[[bytes], Headers]
) -> None:
    body = an_ipn(new_id())

    answer = await payments.http.post(URL, content=body, headers=change(body))

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await stored(payments) == []
    metrics = await payments.http.get("/metrics")
    assert 'nowpayments_ipns_total{answer="401"} 1.0' in metrics.text


async def test_truncated_notification_is_refused(payments: ServiceHarness) -> None:
    body = an_ipn(new_id())

    answer = await payments.http.post(URL, content=body[:-20], headers=signed(body))

    assert answer.status_code == 401


async def test_signed_notification_is_stored_byte_for_byte(payments: ServiceHarness) -> None:
    body = an_ipn(new_id(), order_description="Мун Фармер ☾")
    untidy = body.replace(b'","', b'" ,\n "')

    first = await payments.http.post(URL, content=untidy, headers=signed(body))
    second = await payments.http.post(URL, content=body, headers=signed(body, OLD_IPN_SECRET))

    assert (first.status_code, second.status_code) == (200, 200)
    assert sorted(await stored(payments)) == sorted([untidy, body])


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"payment_id":1,"payment_id":2}', b'{"payment_id":1}']
)
async def test_signed_but_unreadable_is_a_bad_request(
    payments: ServiceHarness, body: bytes
) -> None:
    answer = await payments.http.post(URL, content=body, headers=signed(body))

    assert answer.status_code == 400
    assert await stored(payments) == []


async def test_oversized_notification_is_refused(payments: ServiceHarness) -> None:
    body = an_ipn(new_id(), order_description="x" * 66_000)

    answer = await payments.http.post(URL, content=body, headers=signed(body))

    assert answer.status_code == 413


async def test_database_error_asks_for_another_try(
    settings: PaymentsSettings, clock: FixedClock, gateway: FakeGateway
) -> None:
    gone = SecretStr("postgresql://nobody:secret@127.0.0.1:9/gone")
    broken = settings.model_copy(update={"database_url": gone})
    body = an_ipn(new_id())

    async with ServiceHarness.start(build_service(broken, clock, gateway)) as payments:
        answer = await payments.http.post(URL, content=body, headers=signed(body))

    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text


async def test_locked_table_asks_for_another_try_in_time(payments: ServiceHarness) -> None:
    body = an_ipn(new_id())
    async with payments.database.transaction() as transaction:
        await transaction.execute(sa.text("LOCK TABLE ipns IN ACCESS EXCLUSIVE MODE"))

        answer = await payments.http.post(URL, content=body, headers=signed(body))

        assert answer.status_code == 503  # while it is locked still
    assert STORE_TIMEOUT_S <= 2  # NOWPayments waits for three seconds


async def test_admin_sees_payments_and_notifications_with_their_effects(
    payments: ServiceHarness, gateway: FakeGateway, admin: Headers
) -> None:
    order, other = an_order(), an_order()
    await payments.deliver(order, other)
    gateway.put(order.order_id)
    bodies = [
        an_ipn(order.order_id, "waiting"),
        an_ipn(order.order_id),
        an_ipn(order.order_id, "sending"),
        an_ipn(order.order_id),
        an_ipn(other.order_id, "waiting", payment_id=8),
    ]
    for body in bodies:
        await payments.http.post(URL, content=body, headers=signed(body))
        await payments.run_jobs()

    params = {"order_id": str(order.order_id), "limit": "2"}
    pages, cursor = [], ""
    while cursor is not None:
        page = await payments.http.get(
            "/admin/payments",
            params=params | ({"cursor": cursor} if cursor else {}),
            headers=admin,
        )
        assert page.status_code == 200, page.text
        pages.append(page.json()["items"])
        cursor = page.json()["next_cursor"]

    shown = [(item["kind"], item["effect"]) for items in pages for item in items]
    assert shown == [
        ("ipn", "duplicate"),
        ("ipn", "older"),
        ("ipn", "confirming"),
        ("payment", "confirmed"),
        ("ipn", "reported"),
    ]
    older = next(i for items in pages for i in items if i["effect"] == "older")
    assert older["reason"] == "older than what is known: finished"
    assert older["actually_paid"] == "19.36121163"
    everything = await payments.http.get("/admin/payments", headers=admin)
    assert len(everything.json()["items"]) == 7


async def test_only_admins_see_payments(payments: ServiceHarness, clock: FixedClock) -> None:
    token = order_token(SIGNER, new_id(), now=clock.now())

    without = await payments.http.get("/admin/payments")
    with_order = await payments.http.get(
        "/admin/payments", headers={"Authorization": f"Bearer {token}"}
    )

    assert (without.status_code, with_order.status_code) == (401, 403)
