"""Builders for tests of own stock."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from contracts import OrderPlaced, PlacedLine
from contracts.testing import a_sealed_key, an_order_placed
from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring
from foundation.settings import SecretRing
from foundation.testing import FixedClock
from pydantic import SecretBytes, SecretStr
from servicekit.testing import ServiceHarness
from webkit.tokens import TokenSigner

from fulfillment_custom.adapters import stock_repository
from fulfillment_custom.adapters.tables import stock_keys
from fulfillment_custom.settings import CustomSettings

NOW: Final = FixedClock().now()

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


def a_placed(*lines: PlacedLine, **fields: Any) -> OrderPlaced:
    """An order of these lines that was placed now and expires in an hour."""
    values = {"occurred_at": NOW, "expires_at": NOW + timedelta(hours=1)} | fields
    return an_order_placed(lines=lines, **values)


async def shelve(stock: ServiceHarness, product_id: UUID, number: int) -> None:
    """Put so many keys on the shelf, behind the counter's back: nobody is served."""
    async with stock.database.transaction() as transaction:
        await stock_repository.lock_product(transaction, product_id)
        keys = [a_sealed_key() for _ in range(number)]
        await stock_repository.add_keys(transaction, product_id, keys, origin="upload")


async def key_states(stock: ServiceHarness, product_id: UUID) -> Sequence[str]:
    """The states of a product's keys, oldest first."""
    async with stock.database.transaction() as transaction:
        query = sa.select(stock_keys.c.state).where(stock_keys.c.product_id == product_id)
        return (await transaction.scalars(query.order_by(stock_keys.c.seq))).all()
