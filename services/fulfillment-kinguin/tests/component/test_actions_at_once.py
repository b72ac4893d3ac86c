"""Two people act on one purchase at the same moment: one effect, one row on record."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from contracts import FulfillmentState
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import audit_log
from fulfillment_kinguin.errors import Unclear
from fulfillment_kinguin.testing import SIGNER, FakeSupplier, a_request, answers, work
from servicekit.testing import ServiceHarness
from webkit.testing import admin_token

Headers = dict[str, str]


async def act(
    kinguin: ServiceHarness, admin: Headers, purchase: dict[str, Any], action: str
) -> httpx.Response:
    body = {"action": action, "reason": "asked by support"}
    url = f"/admin/purchases/{purchase['id']}/actions"
    return await kinguin.http.post(url, json=body, headers=admin)


async def the_purchase(kinguin: ServiceHarness, admin: Headers) -> dict[str, Any]:
    [purchase] = (await kinguin.http.get("/admin/purchases", headers=admin)).json()["items"]
    return dict(purchase)


async def audited(kinguin: ServiceHarness) -> list[str]:
    async with kinguin.database.transaction() as transaction:
        return list(await transaction.scalars(sa.select(audit_log.c.action)))


async def placed(kinguin: ServiceHarness, _clock: FixedClock, _supplier: FakeSupplier) -> None:
    await kinguin.deliver(a_request())
    await kinguin.run_jobs()


async def stuck(kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier) -> None:
    """Its request was lost, and for a day no search was answered."""
    supplier.errors = {"place": Unclear("no answer"), "orders_of": Unclear("HTTP 500")}
    await kinguin.deliver(a_request())
    await work(kinguin, clock, 24 * 3600)
    supplier.errors = {}


async def planned(kinguin: ServiceHarness, _clock: FixedClock, _supplier: FakeSupplier) -> None:
    await kinguin.deliver(a_request())


Bring = Callable[[ServiceHarness, FixedClock, FakeSupplier], Awaitable[None]]


@pytest.mark.parametrize(
    ("bring", "action"),
    [
        (placed, "poll_now"),
        (stuck, "search_again"),
        (placed, "give_up"),
        (planned, "give_up"),
        (stuck, "give_up"),
    ],
)
async def test_action_of_two_people_at_once_has_one_effect_and_one_row(
    kinguin: ServiceHarness, clock: FixedClock, supplier: FakeSupplier, bring: Bring, action: str
) -> None:
    await bring(kinguin, clock, supplier)
    admin = {"Authorization": f"Bearer {admin_token(SIGNER, now=clock.now())}"}
    purchase = await the_purchase(kinguin, admin)
    before = await answers(kinguin)

    found = await asyncio.gather(*(act(kinguin, admin, purchase, action) for _ in range(2)))

    assert sorted(answer.status_code for answer in found) == [200, 409]
    assert await audited(kinguin) == [action]
    told = [FulfillmentState.FAILED] if action == "give_up" else []
    assert (await answers(kinguin))[len(before) :] == told


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("poll_now", "it is being looked at already"),
        ("give_up", "it was given up already: Kinguin's order is followed"),
    ],
)
async def test_what_was_done_already_is_said_plainly(
    kinguin: ServiceHarness,
    clock: FixedClock,
    supplier: FakeSupplier,
    admin: Headers,
    action: str,
    says: str,
) -> None:
    await placed(kinguin, clock, supplier)
    purchase = await the_purchase(kinguin, admin)
    await act(kinguin, admin, purchase, action)

    again = await act(kinguin, admin, purchase, action)

    assert (again.status_code, again.json()["detail"]) == (409, says)
    assert await audited(kinguin) == [action]
