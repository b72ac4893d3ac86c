import time

import pytest
from httpx import AsyncClient
from nowpayments_simulator.js_json import arrays_as_objects, canonical_text, signature
from nowpayments_simulator.testing import IPN_SECRET, Received, Shop, an_invoice, pay, settled


async def set_faults(client: AsyncClient, **faults: object) -> None:
    response = await client.put("/_simulator/faults", json=faults)
    assert response.status_code == 200


async def expired_ipns(client: AsyncClient, shop: Shop, **faults: object) -> list[Received]:
    await set_faults(client, **faults)
    invoice = await an_invoice(client, ipn_callback_url=shop.url)
    await pay(client, invoice["id"], "expired")
    await shop.has_heard(2)
    return shop.received


async def test_put_switches_off_what_it_does_not_name(client: AsyncClient) -> None:
    await set_faults(client, wrong_signature=True, latency_ms=5)
    await set_faults(client, tiny_fees=True)

    faults = (await client.get("/_simulator/faults")).json()

    assert faults["tiny_fees"]
    assert not faults["wrong_signature"]
    assert faults["latency_ms"] == 0


async def test_unknown_fault_is_refused(client: AsyncClient) -> None:
    response = await client.put("/_simulator/faults", json={"latency": 5})

    assert response.status_code == 400
    assert "latency" in response.json()["message"]


async def test_latency_delays_the_api_and_not_the_control_side(client: AsyncClient) -> None:
    await set_faults(client, latency_ms=80)

    start = time.monotonic()
    await client.get("/v1/status")

    assert time.monotonic() - start >= 0.08


async def test_error_status_alone_refuses_every_call(client: AsyncClient) -> None:
    await set_faults(client, error_status=429)

    response = await client.post("/v1/invoice", json={"price_amount": 1, "price_currency": "usd"})

    assert response.status_code == 429
    assert (await client.get("/_simulator/ledger")).json()["invoices"] == []


async def test_error_rate_refuses_its_share(client: AsyncClient) -> None:
    await set_faults(client, error_rate=0.5)

    codes = [(await client.get("/v1/status")).status_code for _ in range(100)]

    assert 20 <= codes.count(500) <= 80


async def test_error_after_work_keeps_the_invoice(client: AsyncClient) -> None:
    await set_faults(client, error_after_work=1)
    body = {"price_amount": 1, "price_currency": "usd"}

    lost = await client.post("/v1/invoice", json=body)
    answered = await client.post("/v1/invoice", json=body)

    assert (lost.status_code, answered.status_code) == (500, 201)
    assert len((await client.get("/_simulator/ledger")).json()["invoices"]) == 2


@pytest.mark.parametrize(("lost", "heard"), [(True, 0), (3, 2), (False, 5)])
async def test_dropped_ipns_never_arrive(
    client: AsyncClient, shop: Shop, lost: object, heard: int
) -> None:
    await set_faults(client, drop_ipns=lost)
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    await pay(client, invoice["id"])
    await settled(client)
    await shop.has_heard(heard)

    assert len(shop.received) == heard


async def test_wrong_signature_does_not_fit(client: AsyncClient, shop: Shop) -> None:
    received = await expired_ipns(client, shop, wrong_signature=True)

    assert not any(ipn.is_signed for ipn in received)
    assert len(received[0].headers["x-nowpayments-sig"]) == 128


async def test_ipns_are_signed_with_the_secret_of_after_a_change(
    client: AsyncClient, shop: Shop
) -> None:
    [first, *_] = await expired_ipns(client, shop, ipn_secret="of-after-the-change")

    fits = signature(canonical_text(first.fields), "of-after-the-change")
    assert first.headers["x-nowpayments-sig"] == fits
    assert "of-after-the-change" not in (await client.get("/_simulator/faults")).text


async def test_unsorted_body_is_signed_in_canonical_form(client: AsyncClient, shop: Shop) -> None:
    received = await expired_ipns(client, shop, unsorted_body=True)

    assert list(received[0].fields) == sorted(received[0].fields, reverse=True)
    assert received[0].is_signed
    assert signature(received[0].body.decode(), IPN_SECRET) != signature(
        canonical_text(received[0].fields), IPN_SECRET
    )


async def test_extra_ids_array_can_be_signed_either_way(client: AsyncClient, shop: Shop) -> None:
    await expired_ipns(client, shop, extra_ids_array=True)
    received = await expired_ipns(client, shop, extra_ids_array=True, sign_arrays_as_objects=True)
    await shop.has_heard(4)

    kept, turned = received[0], received[-1]
    assert all(isinstance(number, int) for number in kept.fields["payment_extra_ids"])
    assert kept.is_signed
    assert not turned.is_signed
    text = canonical_text(arrays_as_objects(turned.fields))
    assert turned.headers["x-nowpayments-sig"] == signature(text, IPN_SECRET)


async def test_tiny_fees_are_written_as_javascript_would(client: AsyncClient, shop: Shop) -> None:
    received = await expired_ipns(client, shop, tiny_fees=True)

    fees = b'"depositFee":0.000002,"serviceFee":1e-7,"withdrawalFee":0.000083'
    assert fees in received[0].body
    assert received[0].is_signed


async def test_old_ipns_have_no_updated_at(client: AsyncClient, shop: Shop) -> None:
    received = await expired_ipns(client, shop, without_updated_at=True)

    assert "updated_at" not in received[0].fields


async def test_get_lies_while_ipn_and_ledger_tell_the_truth(
    client: AsyncClient, shop: Shop
) -> None:
    await set_faults(client, lie_on_get="waiting")
    invoice = await an_invoice(client, ipn_callback_url=shop.url)

    payment = await pay(client, invoice["id"])
    await shop.has_heard(5)
    (row,) = await settled(client)
    read = (await client.get(f"/v1/payment/{payment['payment_id']}")).json()

    assert read["payment_status"] == "waiting"
    assert shop.statuses[-1] == row["payment_status"] == "finished"
