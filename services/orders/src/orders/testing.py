"""Builders for tests of orders."""

from typing import Any

from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring
from foundation.settings import SecretRing
from pydantic import SecretStr

from orders.settings import OrdersSettings

_PAIR = new_key_pair()

DELIVERY_RING = KeyRing.parse(_PAIR.private)
"""Opens what orders seals for delivery in tests."""


def some_settings(database_url: str, **changes: Any) -> OrdersSettings:
    """Settings that work, on the given database."""
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "token_signing_keys": SecretRing.parse(new_ring()),
        "hpke_public_key": PublicKey.parse(_PAIR.public),
        "storefront_url": "http://127.0.0.1:8000",
        "kinguin_enabled": True,
    }
    return OrdersSettings(**(values | changes))
