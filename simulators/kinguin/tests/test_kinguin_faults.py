import base64
import struct
import time
import zlib

import pytest
from httpx import AsyncClient
from kinguin_simulator.key_maker import ALPHABET, GLYPHS, key_picture
from kinguin_simulator.testing import (
    ESA,
    keys_of,
    ledger_rows,
    open_simulator,
    place,
    placed_id,
    set_faults,
    until_status,
)


async def test_put_switches_off_what_it_does_not_name(client: AsyncClient) -> None:
    await set_faults(client, stuck=True, balance=3, refuse_duplicates=False)

    faults = await set_faults(client, latency_ms=1)

    assert (faults["stuck"], faults["balance"], faults["refuse_duplicates"]) == (False, None, True)
    assert (await client.get(f"{ESA}/v1/balance")).json()["balance"] == 1_000_000.0


async def test_unknown_fault_is_refused(client: AsyncClient) -> None:
    response = await client.put("/_simulator/faults", json={"latency": 5})

    assert response.status_code == 400
    assert response.json()["propertyPath"] == "latency"


async def test_latency_delays_the_api(client: AsyncClient) -> None:
    await set_faults(client, latency_ms=80)

    start = time.monotonic()
    await client.get(f"{ESA}/v1/balance")

    assert time.monotonic() - start >= 0.08


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "Error"), (503, "Error"), (429, "Http"), (409, "ResourceLock")]
)
async def test_refused_calls_do_no_work(client: AsyncClient, status: int, kind: str) -> None:
    await set_faults(client, error_rate=1, error_status=status, retry_after_s=7)

    response = await place(client)

    assert response.status_code == status
    assert response.json()["kind"] == kind
    assert response.headers["retry-after"] == "7"
    assert await ledger_rows(client) == []


async def test_refusals_can_be_html(client: AsyncClient) -> None:
    await set_faults(client, error_status=599, html_errors=True)

    response = await client.get(f"{ESA}/v1/balance")

    assert response.status_code == 599
    assert response.headers["content-type"].startswith("text/html")


async def test_status_outside_the_registry_still_has_an_envelope(client: AsyncClient) -> None:
    await set_faults(client, error_status=599)

    assert (await client.get(f"{ESA}/v1/balance")).json()["title"] == "Error"


async def test_error_after_work_keeps_the_order(client: AsyncClient) -> None:
    await set_faults(client, error_after_work=1)

    lost = await place(client, external_id="line-1")
    again = await place(client, external_id="line-1")

    assert (lost.status_code, again.status_code) == (500, 422)
    assert [row["external_id"] for row in await ledger_rows(client)] == ["line-1"]


async def test_truncated_answer_is_no_json(client: AsyncClient) -> None:
    await set_faults(client, truncate_json=True)

    response = await client.get(f"{ESA}/v1/products/1001")

    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        response.json()


async def test_html_comes_in_place_of_every_answer_that_is_read(client: AsyncClient) -> None:
    await set_faults(client, html_answers=True)

    read = await client.get(f"{ESA}/v1/products/1001")
    bought = await place(client)

    assert (read.status_code, read.headers["content-type"][:9]) == (200, "text/html")
    assert bought.status_code == 201


async def test_repeated_keys_are_those_of_earlier_orders_under_new_ids(client: AsyncClient) -> None:
    await set_faults(client, polls_until_ready=1, repeat_keys=1)
    [first] = await keys_of(client, await placed_id(client))

    [second] = await keys_of(client, await placed_id(client))
    [third] = await keys_of(client, await placed_id(client))

    assert second["serial"] == first["serial"]
    assert second["id"] != first["id"]
    assert third["serial"] != first["serial"]


async def test_keys_come_with_the_nth_poll_one_by_one(client: AsyncClient) -> None:
    await set_faults(client, polls_until_ready=3)
    order_id = await placed_id(client, quantity=3)

    first = await keys_of(client, order_id)
    second = (await client.get(f"{ESA}/v1/order/{order_id}")).json()
    third = await keys_of(client, order_id)

    assert (len(first), second["status"], len(third)) == (1, "processing", 3)
    states = [key["status"] for key in second["products"][0]["keys"]]
    assert states == ["DELIVERED", "DELIVERED", "PENDING"]
    assert third[:1] == first


async def test_stuck_order_goes_on_when_the_fault_ends(client: AsyncClient) -> None:
    await set_faults(client, stuck=True)
    order_id = await placed_id(client)
    stuck = await keys_of(client, order_id)

    await set_faults(client)
    await until_status(client, "completed")

    assert stuck == []
    assert len(await keys_of(client, order_id)) == 1


async def test_delivery_takes_its_delay() -> None:
    async with open_simulator(delivery_delay_ms=150) as client:
        order_id = await placed_id(client)
        early = await keys_of(client, order_id)
        start = time.monotonic()
        await until_status(client, "completed")

    assert early == []
    assert time.monotonic() - start >= 0.1


async def test_canceled_order_gives_its_money_back(client: AsyncClient) -> None:
    await set_faults(client, cancel=True)

    order_id = await placed_id(client, quantity=2)
    await until_status(client, "canceled")

    assert await keys_of(client, order_id) == []
    assert (await client.get(f"{ESA}/v1/balance")).json()["balance"] == 1_000_000.0


@pytest.mark.parametrize(("cancel", "status"), [(False, "completed"), (True, "canceled")])
async def test_fewer_keys_leave_an_order_partly_filled(
    client: AsyncClient, *, cancel: bool, status: str
) -> None:
    await set_faults(client, fewer_keys=2, cancel=cancel)

    order_id = await placed_id(client, quantity=3)
    row = await until_status(client, status)

    assert (row["quantity"], len(row["keys"])) == (3, 1)
    assert len(await keys_of(client, order_id)) == 1


async def test_refunded_order_keeps_its_keys_in_the_ledger_only(client: AsyncClient) -> None:
    await set_faults(client, refund=True)

    order_id = await placed_id(client)
    row = await until_status(client, "refunded")

    assert len(row["keys"]) == 1
    assert await keys_of(client, order_id) == []


async def test_balance_can_be_set(client: AsyncClient) -> None:
    await set_faults(client, balance=4)

    bought = await place(client)
    refused = await place(client)

    assert bought.status_code == 201
    assert refused.json()["kind"] == "InsufficientBalance"


async def test_price_factor_moves_prices_between_look_and_order(client: AsyncClient) -> None:
    seen = (await client.get(f"{ESA}/v1/products/1001")).json()["price"]
    await set_faults(client, price_factor=1.5)

    refused = await place(client, price=seen)
    now = (await client.get(f"{ESA}/v1/products/1001")).json()["price"]
    bought = await place(client, price=now)

    assert refused.json()["kind"] == "ProductUnavailable"
    assert (now, bought.json()["totalPrice"]) == (5.58, 5.58)


async def test_duplicates_are_bought_twice_when_not_refused(client: AsyncClient) -> None:
    await set_faults(client, refuse_duplicates=False)

    await place(client, external_id="line-1")
    again = await place(client, external_id="line-1")

    assert again.status_code == 201
    assert [row["external_id"] for row in await ledger_rows(client)] == ["line-1", "line-1"]


async def test_image_keys_are_pictures_even_if_text_was_asked_for(client: AsyncClient) -> None:
    await set_faults(client, image_keys=True)

    order_id = await placed_id(client, quantity=2, keyType="text")
    await until_status(client, "completed")
    keys = await keys_of(client, order_id)

    assert {key["type"] for key in keys} == {"image/png"}
    assert base64.b64decode(keys[0]["serial"]).startswith(b"\x89PNG")
    assert keys[0]["serial"] != keys[1]["serial"]


def test_picture_decodes_to_the_pixels_of_its_text() -> None:
    picture = base64.b64decode(key_picture("A-2"))

    chunks = read_chunks(picture)
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    pixels = zlib.decompress(chunks[b"IDAT"])

    assert (width, height, depth, colour) == (13 * 6, 7 * 6, 8, 0)
    assert len(pixels) == height * (width + 1)
    assert chunks[b"tEXt"] == b"Comment\0A-2"
    top_of_letters = pixels[6 * (width + 1) + 1 : 7 * (width + 1)]
    cells = "".join("#" if top_of_letters[column] < 128 else "." for column in range(0, width, 6))
    assert cells == "..#......##.."


def read_chunks(picture: bytes) -> dict[bytes, bytes]:
    chunks, position = {}, 8
    while position < len(picture):
        (length,) = struct.unpack_from(">I", picture, position)
        kind, content = picture[position + 4 : position + 8], picture[position + 8 :][:length]
        (checksum,) = struct.unpack_from(">I", picture, position + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        chunks[kind] = content
        position += 12 + length
    return chunks


def test_no_two_letters_look_alike() -> None:
    assert len({GLYPHS[letter] for letter in ALPHABET}) == len(ALPHABET)


async def test_return_can_be_refused(client: AsyncClient) -> None:
    order_id = await placed_id(client)
    await until_status(client, "completed")
    await set_faults(client, refuse_return=True)

    refused = await client.post(f"{ESA}/v2/order/{order_id}/keys/return")

    assert (refused.status_code, refused.json()["kind"]) == (400, "NoKeysToReturn")
    assert [row["return_requested"] for row in await ledger_rows(client)] == [False]


async def test_answer_of_a_return_can_be_lost_after_the_work(client: AsyncClient) -> None:
    order_id = await placed_id(client)
    await until_status(client, "completed")
    await set_faults(client, drop_return_answer=1)

    with pytest.raises(ConnectionError):
        await client.post(f"{ESA}/v2/order/{order_id}/keys/return")

    await until_status(client, "refunded")
    assert [row["return_requested"] for row in await ledger_rows(client)] == [True]
