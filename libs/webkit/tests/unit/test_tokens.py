import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Depends, FastAPI
from foundation.settings import SecretRing, encode_base64url
from foundation.testing import FixedClock
from webkit.jwks import JwksUnavailable, read_jwks
from webkit.problems import install_problems
from webkit.tokens import (
    BearerPrincipal,
    Principal,
    Role,
    Scope,
    TokenRefused,
    TokenSigner,
    TokenVerifier,
    install_tokens,
    require_admin,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEED = bytes(range(32))
SIGNER = TokenSigner(SecretRing.parse(f"k1:{encode_base64url(SEED)}"))
PRIVATE = Ed25519PrivateKey.from_private_bytes(SEED)
OWNER = Principal(Scope.ADMIN, "admin-1", Role.OWNER)
AN_ORDER = Principal(Scope.ORDER, "order-1")

HEADER = {"alg": "EdDSA", "kid": "k1", "typ": "at+jwt"}
CLAIMS = {
    "iss": "bitloot",
    "aud": "bitloot",
    "sub": "admin-1",
    "scope": "admin",
    "role": "owner",
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
    "jti": "t1",
}


def a_verifier(now: datetime = NOW) -> TokenVerifier:
    return TokenVerifier(SIGNER.static_jwks(), FixedClock(now))


def issue(principal: Principal = OWNER, ttl_s: int = 600) -> str:
    return SIGNER.issue(
        principal, issued_at=NOW, expires_at=NOW + timedelta(seconds=ttl_s), token_id="t1"
    )


def encode(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    key: Ed25519PrivateKey = PRIVATE,
) -> str:
    """A token signed by hand, so that no library refuses to make the bad one."""
    text = f"{encode(HEADER | (header or {}))}.{encode(CLAIMS | (claims or {}))}"
    return f"{text}.{encode(key.sign(text.encode()))}"


async def refusal(token: str, now: datetime = NOW) -> str:
    with pytest.raises(TokenRefused) as caught:
        await a_verifier(now).verify(token)
    return str(caught.value)


@pytest.mark.parametrize(
    "principal", [OWNER, AN_ORDER, Principal(Scope.CUSTOMER, "c-1")], ids=lambda p: p.scope
)
async def test_an_issued_token_proves_its_principal(principal: Principal) -> None:
    assert await a_verifier().verify(issue(principal)) == principal


async def test_a_token_forged_with_the_right_key_is_accepted_so_the_forger_works() -> None:
    assert await a_verifier().verify(forge()) == OWNER


def test_equal_claims_give_the_same_token() -> None:
    assert issue() == issue()
    assert issue() != issue(AN_ORDER)


async def test_a_token_of_a_former_key_in_the_ring_still_holds() -> None:
    rotated = SecretRing.parse(f"k2:{encode_base64url(SEED[::-1])},k1:{encode_base64url(SEED)}")
    signer = TokenSigner(rotated)
    verifier = TokenVerifier(signer.static_jwks(), FixedClock(NOW))

    assert await verifier.verify(issue()) == OWNER
    new = signer.issue(OWNER, issued_at=NOW, expires_at=NOW + timedelta(1), token_id="t")
    assert await verifier.verify(new) == OWNER


async def test_alg_none_is_refused() -> None:
    token = f"{encode({**HEADER, 'alg': 'none'})}.{encode(CLAIMS)}."

    assert await refusal(token) == "another algorithm or type"


@pytest.mark.parametrize("encoding", [Encoding.Raw, Encoding.PEM])
async def test_hs256_keyed_with_our_public_key_is_refused(encoding: Encoding) -> None:
    form = PublicFormat.Raw if encoding is Encoding.Raw else PublicFormat.SubjectPublicKeyInfo
    secret = PRIVATE.public_key().public_bytes(encoding, form)
    text = f"{encode({**HEADER, 'alg': 'HS256'})}.{encode(CLAIMS)}"
    token = f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    assert await refusal(token) == "another algorithm or type"


async def test_a_foreign_signature_under_our_key_id_is_refused() -> None:
    assert await refusal(forge(key=Ed25519PrivateKey.generate())) == "InvalidSignatureError"


@pytest.mark.parametrize("key_id", ["k2", "", None, 7, ["k1"], "../k1"])
async def test_an_unknown_or_odd_key_id_is_refused(key_id: object) -> None:
    assert await refusal(forge({"kid": key_id})) in {"unknown key id", "not a token"}


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
    ],
)
async def test_an_extension_we_do_not_understand_is_refused(header: dict[str, Any]) -> None:
    assert await refusal(forge(header)) in {
        "an extension that is not understood",
        "not a token",
    }


async def test_keys_that_come_with_the_token_are_never_used() -> None:
    attacker = Ed25519PrivateKey.generate()
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "k1",
        "x": encode(attacker.public_key().public_bytes_raw()),
    }
    carried = {"jwk": jwk, "jku": "http://127.0.0.1:1/jwks", "x5u": "http://127.0.0.1:1/x"}

    assert await refusal(forge(carried, key=attacker)) == "InvalidSignatureError"
    assert await a_verifier().verify(forge({"jku": "http://127.0.0.1:1/jwks"})) == OWNER


@pytest.mark.parametrize("kind", ["JWT", "at+JWT2", "", "dpop+jwt"])
async def test_another_type_of_token_is_refused(kind: str) -> None:
    assert await refusal(forge({"typ": kind})) == "another algorithm or type"


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(599, None), (600, "expired"), (601, "expired"), (-30, None), (-31, "not valid yet")],
)
async def test_a_token_holds_from_issue_to_expiry(seconds: int, reason: str | None) -> None:
    now = NOW + timedelta(seconds=seconds)

    if reason is None:
        assert await a_verifier(now).verify(issue()) == OWNER
    else:
        assert await refusal(issue(), now) == reason


async def test_not_before_is_kept_even_if_issued_earlier() -> None:
    assert await refusal(forge(claims={"nbf": CLAIMS["exp"] - 1})) == "not valid yet"  # type: ignore[operator]  # an int


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["bitloot", "other"]},
        {"scope": "root"},
        {"scope": "order"},
        {"role": None},
        {"role": "god"},
        {"sub": 7},
        {"jti": None},
        {"exp": str(CLAIMS["exp"])},
        {"exp": None},
        {"exp": 1e400},
        {"iat": None},
    ],
    ids=str,
)
async def test_wrong_claims_are_refused_though_signed(claims: dict[str, Any]) -> None:
    assert await refusal(forge(claims=claims))


@pytest.mark.parametrize("missing", sorted(CLAIMS))
async def test_every_claim_is_needed(missing: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != missing}
    text = f"{encode(HEADER)}.{encode(claims)}"

    assert await refusal(f"{text}.{encode(PRIVATE.sign(text.encode()))}")


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c", "....", "é.é.é", "x" * 5000, f"{encode([])}.{encode(CLAIMS)}.x"],
    ids=lambda token: token[:10],
)
async def test_what_is_no_token_is_refused(token: str) -> None:
    assert await refusal(token) in {"not a token", "too long"}


@pytest.mark.parametrize("position", [5, 60, 150, -2])
async def test_one_changed_character_anywhere_is_found(position: int) -> None:
    token = issue()
    other = "A" if token[position] != "A" else "B"
    changed = list(token)
    changed[position] = other

    assert await refusal("".join(changed))


def test_roles_are_for_admins_only() -> None:
    for principal in (Principal(Scope.ORDER, "o", Role.OWNER), Principal(Scope.ADMIN, "a")):
        with pytest.raises(ValueError, match="admins have a role"):
            issue(principal)


def test_the_jwks_document_holds_public_keys_only() -> None:
    document = SIGNER.jwks()

    assert document["keys"] == [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": "k1",
            "x": encode(PRIVATE.public_key().public_bytes_raw()),
        }
    ]
    assert read_jwks(document)["k1"] == PRIVATE.public_key()


class SilentJwks:
    """A source that cannot be asked."""

    async def key(self, key_id: str) -> Ed25519PublicKey | None:
        raise JwksUnavailable(key_id)


def an_app(verifier: TokenVerifier) -> FastAPI:
    app = FastAPI()
    install_problems(app)
    install_tokens(app, verifier)

    @app.get("/open")
    async def everyone(principal: BearerPrincipal) -> str:
        return principal.subject if principal else "nobody"

    @app.get("/any-admin")
    async def any_admin(principal: Annotated[Principal, Depends(require_admin())]) -> str:
        return principal.subject

    @app.get("/stock", dependencies=[Depends(require_admin(Role.STOCK, Role.SUPPORT))])
    async def stock() -> str:
        return "stock"

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=an_app(a_verifier()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def bearer(principal: Principal, ttl_s: int = 600) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue(principal, ttl_s)}"}


@pytest.mark.parametrize(
    ("role", "status"),
    [("stock", 200), ("support", 200), ("owner", 200), ("viewer", 403), ("finance", 403)],
)
async def test_a_role_opens_only_its_doors(
    client: httpx.AsyncClient, role: str, status: int
) -> None:
    headers = bearer(Principal(Scope.ADMIN, "a", Role(role)))

    assert (await client.get("/stock", headers=headers)).status_code == status
    assert (await client.get("/any-admin", headers=headers)).status_code == 200


async def test_customers_and_orders_are_no_admins(client: httpx.AsyncClient) -> None:
    for principal in (AN_ORDER, Principal(Scope.CUSTOMER, "c")):
        response = await client.get("/any-admin", headers=bearer(principal))

        assert response.status_code == 403
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": f"Bearer {forge(key=Ed25519PrivateKey.generate())}"},
        bearer(OWNER, ttl_s=0),
    ],
)
async def test_without_a_valid_token_the_answer_is_401_and_gives_no_reason(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/stock", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"] == "A valid bearer token is needed."


async def test_where_a_token_is_optional_a_bad_one_counts_as_none(
    client: httpx.AsyncClient,
) -> None:
    bad = {"Authorization": "Bearer nonsense"}

    assert (await client.get("/open")).json() == "nobody"
    assert (await client.get("/open", headers=bad)).json() == "nobody"
    assert (await client.get("/open", headers=bearer(AN_ORDER))).json() == "order-1"


async def test_when_keys_cannot_be_had_the_answer_is_503_not_401() -> None:
    app = an_app(TokenVerifier(SilentJwks(), FixedClock(NOW)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/stock", headers=bearer(OWNER))
        without = await client.get("/stock")

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert without.status_code == 401
