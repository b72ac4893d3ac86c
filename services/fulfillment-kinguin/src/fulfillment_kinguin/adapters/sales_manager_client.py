"""Kinguin's sales-manager form (`/v1/orders`) as a `KeySupplier`: one offer, one key.

It has no products, prices or balance: the price limit of a line cannot be checked before
buying, and what was charged is not told.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from pydantic import Field, SecretStr

from fulfillment_kinguin.adapters.esa_answers import Answer, Id, Moment, read_answer, read_status
from fulfillment_kinguin.adapters.esa_client import PAGE, checked_search
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp
from fulfillment_kinguin.domain.read_key import read_key
from fulfillment_kinguin.domain.supply import (
    OrderStatus,
    OrderToPlace,
    Product,
    ProductPage,
    SupplierKey,
    SupplierOrder,
)
from fulfillment_kinguin.errors import NotSupported, Refused

_STATUSES: Final = {
    "pending": OrderStatus.PROCESSING,
    "ready": OrderStatus.COMPLETED,
    "canceled": OrderStatus.CANCELED,
}


class SalesManagerClient:
    """One account at Kinguin."""

    can_search = True
    knows_prices = False
    can_return = False
    max_quantity = 1

    def __init__(self, http: KinguinHttp) -> None:
        self._http = http

    async def wait_for_turn(self) -> None:
        """See `KeySupplier.wait_for_turn`."""
        await self._http.wait_for_turn()

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        """See `KeySupplier.place`."""
        answer = await self._http.post("/v1/orders", _order_body(order))
        return read_answer(_OrderAnswer, answer).to_order()

    async def orders_of(self, external_id: str) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_of`."""
        params: dict[str, str | int] = {"externalId": external_id, "limit": PAGE}
        answer = await self._http.get("/v1/orders", params)
        found = [order.to_order() for order in read_answer(_OrdersAnswer, answer).results]
        return checked_search(found, external_id)

    async def orders_since(self, since: datetime) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_since`."""
        raise NotSupported(f"the sales-manager API does not list the orders since {since}: use esa")

    async def order(self, order_id: str) -> SupplierOrder:
        """See `KeySupplier.order`."""
        return (await self._read(order_id)).to_order()

    async def keys(self, order_id: str) -> Sequence[SupplierKey]:
        """See `KeySupplier.keys`; the one key has no id of its own."""
        answer = await self._read(order_id)
        if answer.key is None:
            return []
        key = read_key(answer.key_type, answer.key.get_secret_value())
        return [SupplierKey(answer.id, key)]

    async def return_keys(self, order_id: str) -> None:
        """See `KeySupplier.return_keys`."""
        raise NotSupported(f"the sales-manager API takes no keys of {order_id} back: use esa")

    async def product(self, product_id: str) -> Product:
        """See `KeySupplier.product`."""
        raise NotSupported(f"the sales-manager API has no product {product_id}: use esa")

    async def products(self, name: str, *, page: int, limit: int) -> ProductPage:
        """See `KeySupplier.products`."""
        raise NotSupported(f"the sales-manager API cannot search ({name}, {page}, {limit})")

    async def products_by_ids(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """See `KeySupplier.products_by_ids`."""
        raise NotSupported(f"the sales-manager API has no products {product_ids}: use esa")

    async def balance(self) -> Decimal:
        """See `KeySupplier.balance`."""
        raise NotSupported("the sales-manager API does not tell the balance: use esa")

    async def _read(self, order_id: str) -> "_OrderAnswer":
        answer = await self._http.get(f"/v1/orders/{quote(order_id, safe='')}")
        return read_answer(_OrderAnswer, answer)


class _OrderAnswer(Answer):
    id: Id
    external_id: str | None = None
    status: str = ""
    key: SecretStr | None = None
    key_type: str = "text/plain"
    created_at: Moment | None = Field(default=None)

    def to_order(self) -> SupplierOrder:
        status = read_status(self.status, _STATUSES)
        return SupplierOrder(self.id, self.external_id, status, self.created_at)


class _OrdersAnswer(Answer):
    results: list[_OrderAnswer]


def _order_body(order: OrderToPlace) -> dict[str, Any]:
    if order.quantity != 1:
        raise Refused("the sales-manager API sells one key an order")
    if order.choice.offer_id is None:
        raise Refused("the sales-manager API needs the product's offer id")
    return {
        "offerId": order.choice.offer_id,
        "quantity": 1,
        "autoDeliver": True,
        "externalId": order.external_id,
    }
