"""No plaintext key at rest anywhere, and the search would find one."""

import base64
import gzip
import secrets
from collections.abc import Iterator

import pytest
from stack.secrecy import Hoard, collect, disguises
from stack.testing import Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    shop = Shop.of(stack)
    yield shop
    shop.http.close()


@pytest.fixture
def sold(shop: Shop) -> tuple[str, list[str]]:
    """The address of a buyer who has opened one key of each source, and all keys involved."""
    marker = secrets.token_hex(4).upper()
    own_keys = [f"PLANT-{marker}-{number:05d}" for number in range(3)]
    own = shop.add_product(f"Secret {marker}")
    shop.upload(own, own_keys)
    bought = shop.add_product(
        f"Secret bought {marker}",
        "60.00",
        source_type="kinguin",
        kinguin_product_id="5c9b5c9b5c9b5c9b5c9b0007",
        kinguin_offer_id="5f7e5f7e5f7e5f7e5f7e0007",
    )
    email = f"secret-{marker.lower()}@example.com"
    order = shop.place(email, (own, 1), (bought, 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    revealed = [key["value"] for keys in shop.keys(email) for key in keys]
    assert len(revealed) == 2
    return email, own_keys + revealed


async def test_no_key_lies_open_anywhere(stack: RunningStack, sold: tuple[str, list[str]]) -> None:
    hoard = await collect(stack)

    assert hoard.find(sold[1]) == []
    places = {place.split(" ")[0] for place in hoard.heaps}
    assert places == {"database", "topic", "object", "mail", "log"}


async def test_address_of_a_buyer_lies_open_in_orders_and_the_mail_only(
    stack: RunningStack, sold: tuple[str, list[str]]
) -> None:
    hoard = await collect(stack)

    found = {place.partition(":")[0] for place in hoard.find([sold[0]])}

    assert "database orders, table orders" in found
    assert all(place.startswith(("database orders", "mail")) for place in found), found


@pytest.mark.usefixtures("sold")
async def test_planted_key_is_found_where_it_was_planted(stack: RunningStack) -> None:
    planted = "PLANT-FOUND-12345"
    hoard = await collect(stack)
    places = {kind: next(p for p in hoard.heaps if p.startswith(kind)) for kind in KINDS}
    for place in places.values():
        hoard.heaps[place] += b"..." + planted.encode() + b"..."

    found = {place.partition(":")[0] for place in hoard.find([planted])}

    assert found == set(places.values())


KINDS = ("database", "topic", "object", "mail", "log")


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_key_inside_base64_is_found_at_every_offset(offset: int) -> None:
    secret = "PLANT-BASE64-12345"
    heap = base64.b64encode(b"x" * offset + secret.encode() + b"and more")

    assert Hoard({"heap": heap}).find([secret]) != []


def test_key_inside_a_compressed_piece_is_found() -> None:
    secret = "PLANT-GZIP-12345"
    heap = b"\x1f\x8b\x08 only looks like it" + gzip.compress(secret.encode() * 3) + b"..."

    assert Hoard({"heap": heap}).find([secret]) != []
    assert Hoard({"heap": heap}).find(["PLANT-OTHER-12345"]) == []


def test_every_disguise_is_found() -> None:
    secret = "PLANT-EVERY-12345"

    for name, needle in disguises(secret):
        assert Hoard({"heap": b"." + needle + b"."}).find([secret]), name
