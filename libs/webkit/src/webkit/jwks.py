"""Where the public keys that check tokens come from: orders' JWKS over HTTP, or memory.

Keys are kept while the source is away, so that an outage of orders locks nobody out.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from foundation.clock import Clock
from foundation.settings import decode_base64url

MAX_AGE: Final = timedelta(minutes=5)
RETRY_AFTER: Final = timedelta(seconds=10)
_TIMEOUT_S: Final = 2.0

log = structlog.get_logger()


class JwksUnavailable(Exception):
    """The key is not known and its source does not answer."""


class JwksSource(Protocol):
    """Gives public keys by key id."""

    async def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key of that id, or None if the source does not know it.

        Raises:
            JwksUnavailable: the source cannot be asked.
        """
        ...


class StaticJwks:
    """Keys that are known from the start."""

    def __init__(self, key_by_id: Mapping[str, Ed25519PublicKey]) -> None:
        self._key_by_id = key_by_id

    async def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key of that id, or None."""
        return self._key_by_id.get(key_id)


class HttpJwks:
    """Keys fetched from a JWKS URL, at most 5 minutes old while the URL answers.

    An unknown key id makes it look again, at most every 10 s, whatever callers send.
    """

    def __init__(self, url: str, client: httpx.AsyncClient, clock: Clock) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._key_by_id: dict[str, Ed25519PublicKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    async def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key of that id, or None if the URL does not list it.

        Raises:
            JwksUnavailable: the key is not known and the last look failed.
        """
        async with self._lock:
            if self._is_due(key_id):
                await self._refresh()
        key = self._key_by_id.get(key_id)
        if key is None and self._fetched_at != self._tried_at:
            raise JwksUnavailable(self._url)
        return key

    def _is_due(self, key_id: str) -> bool:
        now = self._clock.now()
        if self._tried_at is not None and now - self._tried_at < RETRY_AFTER:
            return False
        is_fresh = self._fetched_at is not None and now - self._fetched_at < MAX_AGE
        return not (is_fresh and key_id in self._key_by_id)

    async def _refresh(self) -> None:
        self._tried_at = self._clock.now()
        try:
            response = await self._client.get(self._url, timeout=_TIMEOUT_S)
            response.raise_for_status()
            self._key_by_id = read_jwks(response.json())
        except (httpx.HTTPError, ValueError) as error:
            log.warning("jwks.unavailable", url=self._url, error=type(error).__name__)
            return
        self._fetched_at = self._tried_at


def read_jwks(document: Any) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 signing keys of a JWK set by key id; other keys are passed over.

    Raises:
        ValueError: not a JWK set, or a key in it is malformed.
    """
    try:
        return {
            jwk["kid"]: Ed25519PublicKey.from_public_bytes(decode_base64url(jwk["x"]))
            for jwk in document["keys"]
            if (jwk["kty"], jwk.get("crv")) == ("OKP", "Ed25519") and jwk.get("use", "sig") == "sig"
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a JWK set") from error
