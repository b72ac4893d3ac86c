"""Builders for tests of own stock."""

from typing import Any

from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring
from foundation.settings import SecretRing
from pydantic import SecretBytes, SecretStr
from webkit.tokens import TokenSigner

from fulfillment_custom.settings import CustomSettings

_PAIR = new_key_pair()

DELIVERY_RING = KeyRing.parse(_PAIR.private)
"""Opens what own stock seals for delivery in tests."""

SIGNER = TokenSigner(SecretRing.parse(new_ring()))
"""Signs the tokens that a service built with `jwks=SIGNER.static_jwks()` accepts."""


def some_settings(database_url: str, **changes: Any) -> CustomSettings:
    """Settings that work, on the given database."""
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "hpke_public_key": PublicKey.parse(_PAIR.public),
        "fingerprint_pepper": SecretBytes(b"a pepper of thirty-two bytes, ok"),
    }
    return CustomSettings(**(values | changes))
