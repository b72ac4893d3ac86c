import asyncio
import json

from httpx import AsyncClient
from nowpayments_simulator.testing import IPN_SECRET, Shop, an_invoice, open_simulator, pay, settled

FLOW = ["waiting", "confirming", "confirmed", "sending", "finished"]


async def test_payment_passes_each_state_with_one_signed_ipn(
    client: AsyncClient, shop: Shop
) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url, order_description="Ключ <é> /")

    await pay(client, invoice["id"])
    await shop.has_heard(5)

    assert shop.statuses == FLOW
    assert all(received.is_signed for received in shop.received)
    assert len(shop.received[0].headers["x-nowpayments-sig"]) == 128


async def test_ipn_body_is_sorted_compact_raw_utf8_with_updated_at_in_ms(
    client: AsyncClient, shop: Shop
) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url, order_description="Ключ")

    await pay(client, invoice["id"])
    await shop.has_heard(5)

    last = shop.received[-1]
    assert list(last.fields) == sorted(last.fields)
    assert list(last.fields["fee"]) == ["currency", "depositFee", "serviceFee", "withdrawalFee"]
    assert '"order_description":"Ключ"'.encode() in last.body
    assert b": " not in last.body
    assert last.fields["updated_at"] > 1_700_000_000_000
    assert last.fields["invoice_id"] == int(invoice["id"])
    assert isinstance(last.fields["purchase_id"], str)
    assert "created_at" not in last.fields


async def test_repeat_sends_each_ipn_that_often(client: AsyncClient, shop: Shop) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"], repeat=3)
    await shop.has_heard(15)

    assert shop.statuses == [status for status in FLOW for _ in range(3)]


async def test_shuffle_sends_every_ipn_after_the_payment_ended(
    client: AsyncClient, shop: Shop
) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"], repeat=8, shuffle=True)
    await shop.has_heard(40)

    assert sorted(shop.statuses) == sorted(FLOW * 8)
    assert shop.statuses != [status for status in FLOW for _ in range(8)]


async def test_child_deposit_tells_its_parent(client: AsyncClient, shop: Shop) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    payment = await pay(client, invoice["id"], child_deposit=True)
    await shop.has_heard(10)

    parents = [received.fields["parent_payment_id"] for received in shop.received]
    assert parents == [None] * 5 + [int(payment["payment_id"])] * 5


async def test_without_send_ipn_the_ledger_moves_in_silence(
    client: AsyncClient, shop: Shop
) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"], send_ipn=False)
    (row,) = await settled(client)

    assert row["payment_status"] == "finished"
    assert shop.received == []


async def test_refused_ipn_is_sent_again(client: AsyncClient, shop: Shop) -> None:
    shop.answers = [503, 401]
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"], "expired")
    await shop.has_heard(4)

    assert sorted(shop.statuses) == ["expired", "expired", "waiting", "waiting"]


async def test_ipn_is_given_up_after_its_attempts(shop: Shop) -> None:
    shop.answers = [500] * 20
    async with open_simulator(ipn_attempts=3, ipn_retry_delay_ms=1) as client:
        invoice = await an_invoice(client, ipn_callback_url=shop.url)
        await pay(client, invoice["id"], "expired")
        await shop.has_heard(6)
        await asyncio.sleep(0.1)

    assert len(shop.received) == 6


async def test_invoice_without_callback_uses_the_accounts_own(shop: Shop) -> None:
    async with open_simulator(ipn_callback_url=shop.url) as client:
        invoice = await an_invoice(client)
        await pay(client, invoice["id"], "expired")
        await shop.has_heard(2)

    assert shop.statuses == ["waiting", "expired"]


async def test_resend_replays_any_status_and_leaves_the_ledger(
    client: AsyncClient, shop: Shop
) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)
    payment = await pay(client, invoice["id"])
    await shop.has_heard(5)

    path = f"/_simulator/payments/{payment['payment_id']}/resend"
    replayed = await client.post(path, json={"status": "waiting"})
    await client.post(path, json={})
    await shop.has_heard(7)

    assert shop.statuses[5:] == ["waiting", "finished"]
    assert replayed.json()["payment_status"] == "finished"


async def test_secret_is_never_in_an_ipn(client: AsyncClient, shop: Shop) -> None:
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"], "expired")
    await shop.has_heard(2)

    seen = json.dumps([[received.headers, received.body.decode()] for received in shop.received])
    assert IPN_SECRET not in seen
