"""Bearer tokens: issued by orders, checked everywhere, and the FastAPI dependencies for it.

JWT with EdDSA over Ed25519 and nothing else (RFC 8037, RFC 8725): the key comes from a
configured source by its key id, never from the token. A token has one scope: an order, a
customer, or an admin with a role.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from foundation.clock import Clock
from foundation.settings import SecretRing, encode_base64url
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from webkit.jwks import JwksSource, JwksUnavailable, StaticJwks
from webkit.problems import Problem

ALGORITHM: Final = "EdDSA"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # a media type (RFC 9068), no secret
CLOCK_SKEW: Final = timedelta(seconds=30)
_MAX_CHARACTERS: Final = 4096
_REFUSED_HEADER_NAMES: Final = frozenset({"crit", "b64", "zip", "enc"})


class Scope(StrEnum):
    """Whom a token stands for."""

    ORDER = "order"
    CUSTOMER = "customer"
    ADMIN = "admin"


class Role(StrEnum):
    """What an admin may do; an owner may do everything."""

    VIEWER = "viewer"
    SUPPORT = "support"
    STOCK = "stock"
    FINANCE = "finance"
    OWNER = "owner"


class Claims(BaseModel):
    """The body of a token; times in seconds since 1970, UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)

    iss: Literal["bitloot"]
    aud: Literal["bitloot"]
    sub: str
    scope: Literal["order", "customer", "admin"]
    role: Literal["viewer", "support", "stock", "finance", "owner"] | None = None
    iat: int
    nbf: int
    exp: int
    jti: str

    @model_validator(mode="after")
    def _role_is_for_admins(self) -> Self:
        if (self.role is not None) != (self.scope == "admin"):
            raise ValueError("admins have a role, others have none")
        return self


@dataclass(frozen=True)
class Principal:
    """Who sends a request; `subject` is the order's, customer's or admin's id."""

    scope: Scope
    subject: str
    role: Role | None = None


class TokenRefused(Exception):
    """The token proves nothing; the reason is for logs and tests, not for the caller."""


class TokenSigner:
    """Issues tokens with the current key of TOKEN_SIGNING_KEYS (Ed25519 seeds)."""

    def __init__(self, ring: SecretRing) -> None:
        self._key_id = ring.current_id
        self._key_by_id = {
            key_id: Ed25519PrivateKey.from_private_bytes(seed)
            for key_id, seed in ring.to_dict().items()
        }

    def issue(
        self,
        principal: Principal,
        *,
        issued_at: datetime,
        expires_at: datetime,
        token_id: str,
    ) -> str:
        """A signed token; equal arguments give the same text, so an answer can be repeated.

        Raises:
            ValueError: an admin without a role, or a role without an admin.
        """
        issued_s = int(issued_at.timestamp())
        claims = Claims(
            iss="bitloot",
            aud="bitloot",
            sub=principal.subject,
            scope=principal.scope.value,
            role=principal.role.value if principal.role else None,
            iat=issued_s,
            nbf=issued_s,
            exp=int(expires_at.timestamp()),
            jti=token_id,
        )
        return jwt.encode(
            claims.model_dump(exclude_none=True),
            self._key_by_id[self._key_id],
            algorithm=ALGORITHM,
            headers={"kid": self._key_id, "typ": TOKEN_TYPE},
        )

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys of the whole ring as a JWK set (RFC 7517, RFC 8037)."""
        return {"keys": [_as_jwk(key_id, key) for key_id, key in self._key_by_id.items()]}

    def static_jwks(self) -> StaticJwks:
        """The public keys as a source, for the service that signs itself."""
        return StaticJwks({key_id: key.public_key() for key_id, key in self._key_by_id.items()})


def _as_jwk(key_id: str, key: Ed25519PrivateKey) -> dict[str, str]:
    x = encode_base64url(key.public_key().public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig", "kid": key_id, "x": x}


class TokenVerifier:
    """Checks tokens against the keys of a source and the time of a clock."""

    def __init__(self, source: JwksSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    async def verify(self, token: str) -> Principal:
        """Who the token stands for.

        Raises:
            TokenRefused: wrong form, algorithm, key, signature, time or claims.
            JwksUnavailable: the keys cannot be had at the moment.
        """
        key_id = _checked_key_id(token)
        key = await self._source.key(key_id)
        if key is None:
            raise TokenRefused("unknown key id")
        try:
            # Claims and times are checked below: against our clock, and strictly.
            body = jwt.decode(token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
            claims = Claims.model_validate(body)
        except (jwt.InvalidTokenError, ValidationError) as error:
            raise TokenRefused(type(error).__name__) from error
        self._check_times(claims)
        return Principal(
            Scope(claims.scope), claims.sub, Role(claims.role) if claims.role else None
        )

    def _check_times(self, claims: Claims) -> None:
        now_s, skew_s = self._clock.now().timestamp(), CLOCK_SKEW.total_seconds()
        if now_s >= claims.exp:
            raise TokenRefused("expired")
        if now_s < max(claims.nbf, claims.iat) - skew_s:
            raise TokenRefused("not valid yet")


_SIGNATURE_ONLY: Final[Any] = {
    "verify_signature": True,
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False),
}


def _checked_key_id(token: str) -> str:
    if len(token) > _MAX_CHARACTERS:
        raise TokenRefused("too long")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise TokenRefused("not a token") from error
    if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE:
        raise TokenRefused("another algorithm or type")
    if not _REFUSED_HEADER_NAMES.isdisjoint(header):
        raise TokenRefused("an extension that is not understood")
    return str(header.get("kid", ""))


def install_tokens(app: FastAPI, verifier: TokenVerifier) -> None:
    """Give the dependencies below the verifier of this application."""
    app.state.token_verifier = verifier


_bearer = HTTPBearer(auto_error=False, description="a token issued by orders")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def bearer_principal(request: Request, credentials: _Credentials) -> Principal | None:
    """Dependency: who asks, or None without a token that holds.

    Raises:
        Problem: 503, the keys that check tokens cannot be had.
    """
    if credentials is None:
        return None
    verifier: TokenVerifier = request.app.state.token_verifier
    try:
        return await verifier.verify(credentials.credentials)
    except TokenRefused:
        return None
    except JwksUnavailable as error:
        detail = "Tokens cannot be checked at the moment; try again soon."
        raise Problem(503, detail=detail, headers={"Retry-After": "5"}) from error


BearerPrincipal = Annotated[Principal | None, Depends(bearer_principal)]


def require_admin(*roles: Role) -> Callable[[Principal | None], Awaitable[Principal]]:
    """A dependency that lets admins with one of the roles pass, or any role if none is named.

    An owner always passes. Without a valid token the answer is 401, otherwise 403.
    """

    async def admin(principal: BearerPrincipal) -> Principal:
        if principal is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise Problem(401, detail="A valid bearer token is needed.", headers=headers)
        if principal.role is None or (roles and principal.role not in {*roles, Role.OWNER}):
            raise Problem(403, detail="This token may not do that.")
        return principal

    return admin
