"""Kinguin's buyer API (ESA, `/esa/api`) as a `KeySupplier`.

Orders are placed by `POST /v2/order` and read by `GET /v1/order/{id}` (there is no v2 of
that); keys come from `GET /v2/order/{id}/keys`, page by page.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fulfillment_kinguin.adapters.esa_answers import (
    BalanceAnswer,
    KeysAnswer,
    OrderAnswer,
    OrdersAnswer,
    ProductAnswer,
    ProductsAnswer,
    read_answer,
)
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp
from fulfillment_kinguin.domain.offers import same_id
from fulfillment_kinguin.domain.supply import (
    OrderToPlace,
    Product,
    ProductPage,
    SupplierKey,
    SupplierOrder,
)
from fulfillment_kinguin.errors import UnreadableAnswer

PAGE: Final = 100
"""The most that a page may have."""
MAX_KEY_PAGES: Final = 20
MAX_ORDER_PAGES: Final = 1000


class EsaClient:
    """One account at Kinguin."""

    can_search = True
    knows_prices = True
    can_return = True
    max_quantity = 9  # of one offer; more is wholesale

    def __init__(self, http: KinguinHttp) -> None:
        self._http = http

    async def wait_for_turn(self) -> None:
        """See `KeySupplier.wait_for_turn`."""
        await self._http.wait_for_turn()

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        """See `KeySupplier.place`."""
        answer = await self._http.post("/v2/order", _order_body(order))
        return read_answer(OrderAnswer, answer).to_order()

    async def orders_of(self, external_id: str) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_of`."""
        params: dict[str, str | int] = {"orderExternalId": external_id, "limit": PAGE}
        answer = await self._http.get("/v1/order", params)
        found = [order.to_order() for order in read_answer(OrdersAnswer, answer).results]
        return checked_search(found, external_id)

    async def orders_since(self, since: datetime) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_since`; one that comes meanwhile only moves others back."""
        by_id: dict[str, SupplierOrder] = {}
        moment = since.astimezone(UTC).isoformat(timespec="seconds")
        for page in range(1, MAX_ORDER_PAGES + 1):
            params: dict[str, str | int] = {"createdAtFrom": moment, "page": page, "limit": PAGE}
            found = read_answer(OrdersAnswer, await self._http.get("/v1/order", params)).results
            by_id |= {order.order_id: order.to_order() for order in found}
            if len(found) < PAGE:
                return list(by_id.values())
        raise UnreadableAnswer(f"more than {MAX_ORDER_PAGES} pages of orders since {moment}")

    async def order(self, order_id: str) -> SupplierOrder:
        """See `KeySupplier.order`."""
        answer = await self._http.get(f"/v1/order/{_segment(order_id)}")
        return read_answer(OrderAnswer, answer).to_order()

    async def keys(self, order_id: str) -> Sequence[SupplierKey]:
        """See `KeySupplier.keys`."""
        by_id: dict[str, SupplierKey] = {}
        path = f"/v2/order/{_segment(order_id)}/keys"
        for page in range(1, MAX_KEY_PAGES + 1):
            answer = await self._http.get(path, {"page": page, "limit": PAGE})
            keys = read_answer(KeysAnswer, {"keys": answer}).keys
            by_id |= {key.id: key.to_key() for key in keys}
            if len(keys) < PAGE:
                return list(by_id.values())
        raise UnreadableAnswer(f"more than {MAX_KEY_PAGES} pages of keys")

    async def return_keys(self, order_id: str) -> None:
        """See `KeySupplier.return_keys`; the statuses in the answer are those of before."""
        path = f"/v2/order/{_segment(order_id)}/keys/return"
        await self._http.post(path, None, expected=HTTPStatus.OK)

    async def product(self, product_id: str) -> Product:
        """See `KeySupplier.product`; an id of digits only is Kinguin's own number."""
        version = "v1" if product_id.isdigit() else "v2"
        answer = await self._http.get(f"/{version}/products/{_segment(product_id)}")
        return read_answer(ProductAnswer, answer).to_product()

    async def products(self, name: str, *, page: int, limit: int) -> ProductPage:
        """See `KeySupplier.products`."""
        params: dict[str, str | int] = {"name": name, "page": page, "limit": limit}
        answer = read_answer(ProductsAnswer, await self._http.get("/v1/products", params))
        return ProductPage([p.to_product() for p in answer.results], answer.item_count)

    async def products_by_ids(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """See `KeySupplier.products_by_ids`: one request for ids, and one for numbers."""
        asked = sorted({same_id(product_id) for product_id in product_ids})
        found: list[Product] = []
        for name, is_number in (("productId", False), ("kinguinId", True)):
            if ids := [known for known in asked if known.isdigit() is is_number]:
                found += await self._listed(name, ids)
        return found

    async def _listed(self, name: str, ids: Sequence[str]) -> Sequence[Product]:
        params: dict[str, str | int] = {name: ",".join(ids), "limit": PAGE}
        answer = read_answer(ProductsAnswer, await self._http.get("/v1/products", params))
        return checked_list([product.to_product() for product in answer.results], ids)

    async def balance(self) -> Decimal:
        """See `KeySupplier.balance`."""
        return read_answer(BalanceAnswer, await self._http.get("/v1/balance")).balance


def checked_search(found: Sequence[SupplierOrder], external_id: str) -> Sequence[SupplierOrder]:
    """The orders with this external id.

    Raises:
        UnreadableAnswer: there are others: the filter was not applied, so that "none" would
            not mean that the order does not exist.
    """
    fitting = [order for order in found if order.external_id == external_id]
    if len(fitting) < len(found):
        raise UnreadableAnswer("the search by external id answers with other orders")
    return fitting


def checked_list(found: Sequence[Product], ids: Sequence[str]) -> Sequence[Product]:
    """The products of a list that was asked for by these ids.

    Raises:
        UnreadableAnswer: there are others, or more: the filter was not applied, so that a
            product that is missing may well be on sale.
    """
    known = set(ids)
    fitting = [p for p in found if known & {same_id(p.product_id), str(p.kinguin_id)}]
    if len(fitting) < len(found) or len(found) > len(known):
        raise UnreadableAnswer("the list of products has others than were asked for")
    return fitting


def _segment(text: str) -> str:
    return quote(text, safe="")


def _order_body(order: OrderToPlace) -> dict[str, Any]:
    position: dict[str, Any] = {"productId": order.product_id, "qty": order.quantity}
    choice = order.choice
    if choice.unit_price is not None:
        position["price"] = float(choice.unit_price)  # a JSON number; cents survive
    if choice.as_text:
        position["keyType"] = "text"
    if choice.offer_id is not None:
        position["offerId"] = choice.offer_id
    return {"products": [position], "orderExternalId": order.external_id}
