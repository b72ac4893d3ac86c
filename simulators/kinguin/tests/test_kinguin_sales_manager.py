from typing import Any

import pytest
from httpx import AsyncClient
from kinguin_simulator.testing import ledger_rows, place_simple, set_faults, until_status


async def test_order_is_pending_then_ready_with_its_key(client: AsyncClient) -> None:
    await set_faults(client, polls_until_ready=2)

    placed = await place_simple(client, externalId="line-1")
    path = f"/v1/orders/{placed.json()['id']}"
    first, second = (await client.get(path)).json(), (await client.get(path)).json()

    assert placed.status_code == 201
    assert placed.json() == {"id": placed.json()["id"], "status": "pending"}
    assert first["status"] == "pending"
    assert "key" not in first
    assert second["status"] == "ready"
    (row,) = await ledger_rows(client)
    assert [second["key"]] == [key["serial"] for key in row["keys"]]
    assert row["external_id"] == "line-1"


async def test_canceled_order_has_no_key(client: AsyncClient) -> None:
    await set_faults(client, cancel=True)

    placed = await place_simple(client)
    await until_status(client, "canceled")
    order = (await client.get(f"/v1/orders/{placed.json()['id']}")).json()

    assert order["status"] == "canceled"
    assert "key" not in order


async def test_order_is_found_by_external_id(client: AsyncClient) -> None:
    placed = await place_simple(client, externalId="line-1")

    found = (await client.get("/v1/orders?externalId=line-1")).json()
    none = (await client.get("/v1/orders?externalId=line-2")).json()

    assert [order["id"] for order in found["results"]] == [placed.json()["id"]]
    assert none["results"] == []


async def test_both_dialects_share_external_ids(client: AsyncClient) -> None:
    await place_simple(client, externalId="line-1")

    again = await place_simple(client, externalId="line-1")

    assert again.status_code == 422
    assert again.json()["propertyPath"] == "orderExternalId"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"quantity": 2}, "ConstraintViolation"),
        ({"autoDeliver": False}, "ConstraintViolation"),
        ({"offerId": None}, "ConstraintViolation"),
        ({"offerId": "unknown"}, "ProductUnavailable"),
        ({"offerId": "5f7e5f7e5f7e5f7e5f7e0029"}, "ProductUnavailable"),
    ],
)
async def test_bad_order_is_refused(client: AsyncClient, change: dict[str, Any], kind: str) -> None:
    response = await place_simple(client, **change)

    assert response.status_code == 400
    assert response.json()["kind"] == kind
