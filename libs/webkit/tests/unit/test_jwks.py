import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from foundation.settings import SecretRing, encode_base64url
from foundation.testing import FixedClock
from webkit.jwks import HttpJwks, JwksUnavailable, read_jwks
from webkit.tokens import TokenSigner

RING = SecretRing.parse(f"k1:{encode_base64url(bytes(range(32)))}")
FIRST = TokenSigner(RING).jwks()
ROTATED = TokenSigner(
    SecretRing.parse(
        f"k2:{encode_base64url(bytes(range(1, 33)))},k1:{encode_base64url(RING.to_dict()['k1'])}"
    )
).jwks()
URL = "http://orders.test/.well-known/jwks.json"


class Orders:
    """The other side: answers with a document, or with what is wrong."""

    def __init__(self) -> None:
        self.answer: httpx.Response | Exception = httpx.Response(200, json=FIRST)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == URL
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def jwks(orders: Orders, clock: FixedClock) -> AsyncIterator[HttpJwks]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(orders)) as client:
        yield HttpJwks(URL, client, clock)


async def test_keys_are_fetched_once_in_five_minutes(
    jwks: HttpJwks, orders: Orders, clock: FixedClock
) -> None:
    assert await jwks.key("k1") is not None
    clock.advance(299)
    assert await jwks.key("k1") is not None
    assert orders.asked == 1

    clock.advance(1)
    await jwks.key("k1")

    assert orders.asked == 2


async def test_many_requests_at_once_fetch_once(jwks: HttpJwks, orders: Orders) -> None:
    keys = await asyncio.gather(*(jwks.key("k1") for _ in range(20)))

    assert None not in keys
    assert orders.asked == 1


async def test_a_new_key_is_found_at_once_after_rotation(
    jwks: HttpJwks, orders: Orders, clock: FixedClock
) -> None:
    await jwks.key("k1")
    orders.answer = httpx.Response(200, json=ROTATED)
    clock.advance(10)

    assert await jwks.key("k2") is not None
    assert orders.asked == 2


async def test_unknown_key_ids_make_it_look_again_only_every_ten_seconds(
    jwks: HttpJwks, orders: Orders, clock: FixedClock
) -> None:
    for number in range(50):
        assert await jwks.key(f"unknown-{number}") is None
    assert orders.asked == 1

    clock.advance(10)
    await jwks.key("unknown")

    assert orders.asked == 2


async def test_a_key_that_orders_withdrew_is_gone_after_five_minutes(
    jwks: HttpJwks, orders: Orders, clock: FixedClock
) -> None:
    orders.answer = httpx.Response(200, json=ROTATED)
    await jwks.key("k2")
    orders.answer = httpx.Response(200, json=FIRST)
    clock.advance(300)

    assert await jwks.key("k2") is None


FAILURES = [
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, json={"keys": "none"}),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "AA"}]}),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: repr(f)[:40])
async def test_old_keys_are_kept_while_orders_is_away(
    jwks: HttpJwks, orders: Orders, clock: FixedClock, failure: httpx.Response | Exception
) -> None:
    await jwks.key("k1")
    orders.answer = failure
    clock.advance(86_400)

    assert await jwks.key("k1") is not None
    with pytest.raises(JwksUnavailable):
        await jwks.key("k2")
    assert orders.asked == 2


async def test_without_any_key_yet_it_says_unavailable_and_recovers(
    jwks: HttpJwks, orders: Orders, clock: FixedClock
) -> None:
    orders.answer = httpx.ConnectError("refused")
    with pytest.raises(JwksUnavailable):
        await jwks.key("k1")

    orders.answer = httpx.Response(200, json=FIRST)
    clock.advance(10)

    assert await jwks.key("k1") is not None


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "RSA", "kid": "r", "n": "AA", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "kid": "e", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "use": "enc", "kid": "n", "x": "AA"},
    ],
)
def test_keys_of_other_kinds_are_passed_over(other: dict[str, Any]) -> None:
    assert list(read_jwks({"keys": [other, *FIRST["keys"]]})) == ["k1"]


def test_a_read_key_is_the_one_that_was_published() -> None:
    private = Ed25519PrivateKey.from_private_bytes(RING.to_dict()["k1"])

    assert read_jwks(FIRST) == {"k1": private.public_key()}
