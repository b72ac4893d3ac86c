import asyncio
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from nowpayments_simulator.journal import Journal, StateUnreadable
from nowpayments_simulator.testing import Shop, an_invoice, open_simulator, pay, settled


async def test_ledger_lists_each_invoice_with_its_order(client: AsyncClient) -> None:
    invoice = await an_invoice(client, order_id="order-7")

    ledger = (await client.get("/_simulator/ledger")).json()

    assert ledger["invoices"] == [
        {
            "invoice_id": invoice["id"],
            "order_id": "order-7",
            "price_amount": 39.99,
            "price_currency": "usd",
        }
    ]
    assert ledger["payments"] == []


@pytest.mark.parametrize(
    ("outcome", "fraction", "share"),
    [
        ("finished", None, 1),
        ("finished", 1.5, 1.5),
        ("partially_paid", None, 0.5),
        ("partially_paid", 0.25, 0.25),
        ("failed", None, 0),
        ("expired", None, 0),
    ],
)
async def test_ledger_says_what_was_really_paid(
    client: AsyncClient, outcome: str, fraction: float | None, share: float
) -> None:
    invoice = await an_invoice(client)

    await pay(client, invoice["id"], outcome, paid_fraction=fraction, pay_currency="usdttrc20")
    (row,) = await settled(client)

    assert row["payment_status"] == outcome
    assert row["actually_paid"] == pytest.approx(39.99 * share)


async def test_one_invoice_can_have_several_payments(client: AsyncClient) -> None:
    invoice = await an_invoice(client)

    await pay(client, invoice["id"], "expired")
    await pay(client, invoice["id"], "finished")
    rows = await settled(client, 2)

    assert {row["invoice_id"] for row in rows} == {invoice["id"]}
    assert sorted(row["payment_status"] for row in rows) == ["expired", "finished"]


async def test_late_money_finishes_an_expired_payment(client: AsyncClient) -> None:
    invoice = await an_invoice(client)
    payment = await pay(client, invoice["id"], "expired")
    await settled(client)

    path = f"/_simulator/payments/{payment['payment_id']}/pay"
    await client.post(path, json={"outcome": "finished"})
    (row,) = await settled(client)

    assert row["payment_status"] == "finished"
    assert row["actually_paid"] == row["pay_amount"]


async def test_moving_payment_cannot_be_paid_again(client: AsyncClient) -> None:
    invoice = await an_invoice(client)
    payment = await pay(client, invoice["id"])

    path = f"/_simulator/payments/{payment['payment_id']}/pay"
    response = await client.post(path, json={"outcome": "failed"})

    assert response.status_code == 409


async def test_child_deposit_is_a_payment_of_its_own(client: AsyncClient) -> None:
    invoice = await an_invoice(client)

    await pay(client, invoice["id"], child_deposit=True)
    parent, child = await settled(client, 2)
    read = (await client.get(f"/v1/payment/{parent['payment_id']}")).json()

    assert child["parent_payment_id"] == parent["payment_id"]
    assert child["order_id"] == parent["order_id"]
    assert read["payment_extra_ids"] == [int(child["payment_id"])]


@pytest.mark.parametrize(
    "body", [{"outcome": "refunded"}, {"outcome": "finished", "typo": 1}, {"paid_fraction": 1}]
)
async def test_wrong_pay_order_is_refused(client: AsyncClient, body: dict[str, object]) -> None:
    invoice = await an_invoice(client)

    response = await client.post(f"/_simulator/invoices/{invoice['id']}/pay", json=body)

    assert response.status_code == 400


async def test_paying_an_unknown_invoice_is_not_found(client: AsyncClient) -> None:
    response = await client.post("/_simulator/invoices/1/pay", json={"outcome": "finished"})

    assert response.status_code == 404


async def test_ledger_outlives_a_restart(tmp_path: Path) -> None:
    async with open_simulator(state=tmp_path / "state.jsonl") as client:
        invoice = await an_invoice(client)
        await pay(client, invoice["id"])
        before = await settled(client)

    async with open_simulator(state=tmp_path / "state.jsonl") as client:
        assert await settled(client) == before


async def test_restart_goes_on_with_a_payment_under_way(tmp_path: Path, shop: Shop) -> None:
    state = tmp_path / "state.jsonl"
    async with open_simulator(state=state, step_delay_ms=10_000) as client:
        invoice = await an_invoice(client, ipn_callback_url=shop.url)
        await pay(client, invoice["id"])

    async with open_simulator(state=state) as client:
        (row,) = await settled(client)
        await shop.has_heard(5)

    assert row["payment_status"] == "finished"
    assert shop.statuses[-1] == "finished"


def test_torn_last_line_is_dropped_and_a_foreign_file_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    state.write_text('{"kind":"invoice","record":{"a":1}}\n{"kind":"inv')
    assert Journal(state).load() == [("invoice", {"a": 1})]

    state.write_text("something else\n")
    with pytest.raises(StateUnreadable, match="line 1"):
        Journal(state).load()


async def ended(client: AsyncClient, status: str) -> list[dict[str, Any]]:
    """Wait until the newest payment has this status; all rows of the ledger."""
    async with asyncio.timeout(10):
        while True:
            rows: list[dict[str, Any]] = (await client.get("/_simulator/ledger")).json()["payments"]
            if rows[-1]["payment_status"] == status:
                return rows
            await asyncio.sleep(0.005)


async def test_deposit_in_another_coin_is_a_payment_of_its_own_and_pays_nothing(
    client: AsyncClient,
) -> None:
    invoice = await an_invoice(client)
    parent = await pay(client, invoice["id"], "waiting", pay_currency="usdttrc20")

    await client.post(
        f"/_simulator/payments/{parent['payment_id']}/deposit",
        json={"outcome": "finished", "pay_currency": "usdcmatic"},
    )
    first, child = await ended(client, "finished")
    assert (first["payment_status"], first["actually_paid"]) == ("waiting", 0)
    assert (child["parent_payment_id"], child["pay_currency"]) == (
        parent["payment_id"],
        "usdcmatic",
    )
    assert (child["payment_status"], child["actually_paid"]) == ("finished", 39.99)


async def test_finished_payment_can_be_given_back(client: AsyncClient, shop: Shop) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)
    paid = await pay(client, invoice["id"])
    await settled(client)

    await client.post(f"/_simulator/payments/{paid['payment_id']}/refund")

    [row] = await ended(client, "refunded")
    assert row["actually_paid"] == row["pay_amount"]
    assert shop.statuses[-1] == "refunded"
