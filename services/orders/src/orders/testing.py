"""Builders for tests of orders."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from contracts import EmailRequested, SourceType
from foundation.clock import new_id
from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring
from foundation.settings import SecretRing
from foundation.testing import FixedClock
from pydantic import SecretStr
from servicekit.testing import ServiceHarness
from webkit.tokens import TokenSigner

from orders.adapters import catalogue_repository, order_repository
from orders.domain.catalogue import Product, ProductStatus
from orders.domain.order import Line, Order
from orders.domain.states import LineStatus
from orders.order_tokens import order_token
from orders.settings import OrdersSettings

NOW: Final = FixedClock().now()

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


def a_line(**fields: Any) -> Line:
    """One key for 25 dollars from own stock that nobody asked for yet."""
    values: dict[str, Any] = {
        "id": new_id(),
        "product_id": new_id(),
        "title": "Moon Farmer",
        "quantity": 1,
        "unit_price": Decimal("25.00"),
        "source_type": SourceType.CUSTOM,
        "backorder": True,
        "kinguin_product_id": None,
        "kinguin_offer_id": None,
    }
    return Line(**(values | fields))


def an_order(*lines: Line, **fields: Any) -> Order:
    """An order that was placed now, of one line unless others are given."""
    values: dict[str, Any] = {
        "id": new_id(),
        "email": "buyer@example.com",
        "currency": "USD",
        "placed_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "lines": lines or (a_line(),),
    }
    return Order(**(values | fields))


def a_paid_order(*lines: Line) -> Order:
    """An order whose keys were asked for."""
    order = an_order(*lines)
    order.confirm(NOW)
    for line in order.lines:
        order.move_line(line, LineStatus.REQUESTED, NOW)
    return order


def a_product(**fields: Any) -> Product:
    """A product of own stock on sale for 25 dollars."""
    values: dict[str, Any] = {
        "id": new_id(),
        "title": "Moon Farmer",
        "retail_price": Decimal("25.00"),
        "currency": "USD",
        "cost_usd": None,
        "status": ProductStatus.ACTIVE,
        "source_type": SourceType.CUSTOM,
        "kinguin_product_id": None,
        "kinguin_offer_id": None,
        "backorder": True,
    }
    return Product(**(values | fields))


async def keep(orders: ServiceHarness, *things: Order | Product) -> None:
    """Put orders and products into the database."""
    async with orders.database.transaction() as transaction:
        for thing in things:
            if isinstance(thing, Order):
                await order_repository.add(transaction, thing)
            else:
                await catalogue_repository.add(transaction, [thing])


async def stored(orders: ServiceHarness, order: Order) -> Order:
    """The order as it stands in the database now."""
    async with orders.database.transaction() as transaction:
        return await order_repository.read(transaction, order.id)


def bearer(settings: OrdersSettings, order: Order) -> dict[str, str]:
    """The header of who holds the order's own token."""
    token = order_token(TokenSigner(settings.token_signing_keys), order)
    return {"Authorization": f"Bearer {token}"}


async def mails(orders: ServiceHarness) -> list[tuple[str, str]]:
    """Kind and text of every mail asked for so far, opened as delivery opens it."""
    await orders.run_jobs()
    return [
        (sent.kind, json.loads(DELIVERY_RING.open(sent.body, *sent.body.info))["text"])
        for sent in await orders.sent(EmailRequested)
    ]
