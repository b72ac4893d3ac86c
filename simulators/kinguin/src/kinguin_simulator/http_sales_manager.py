"""The second dialect, `/v1/orders`: one offer, one key, over the same ledger.

Statuses are pending, ready and canceled; a refunded order is canceled here,
since its key must not be used.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from kinguin_simulator.basket import Wanted
from kinguin_simulator.catalogue import Catalogue
from kinguin_simulator.edge import CREATED, KeyCheck
from kinguin_simulator.errors import ProductUnavailable
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.order import Order, OrderStatus
from kinguin_simulator.requests import Paging, SalesManagerOrder
from kinguin_simulator.views import key_views

STATUSES = {
    OrderStatus.PROCESSING: "pending",
    OrderStatus.COMPLETED: "ready",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.REFUNDED: "canceled",
}


class ExternalIdSearch(Paging):
    """GET /v1/orders."""

    externalId: str  # noqa: N815 - the API's name


def sales_manager_router(catalogue: Catalogue, ledger: Ledger, key_check: KeyCheck) -> APIRouter:
    """Place, search and read."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(key_check)])

    @router.post("/orders")
    async def place(body: SalesManagerOrder) -> JSONResponse:
        product, offer = catalogue.by_offer_id.get(body.offerId, (None, None))
        if offer is None:
            raise ProductUnavailable
        basket = [Wanted(product, body.quantity, price=None, offer_id=offer.offer_id)]
        order = ledger.place(basket, body.externalId)
        return JSONResponse({"id": order.order_id, "status": "pending"}, CREATED)

    @router.get("/orders")
    async def search(query: Annotated[ExternalIdSearch, Query()]) -> JSONResponse:
        orders = ledger.by_external_id(query.externalId)
        page = [_order_view(order) for order in query.cut(orders)]
        return JSONResponse({"results": page, "item_count": len(orders)})

    @router.get("/orders/{order_id}")
    async def read(order_id: str) -> JSONResponse:
        return JSONResponse(_order_view(ledger.poll(order_id)))

    return router


def _order_view(order: Order) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": order.order_id,
        "externalId": order.external_id,
        "status": STATUSES[order.status],
    }
    keys = key_views(order)
    if view["status"] == "ready" and keys:
        view |= {"key": keys[0]["serial"], "keyType": keys[0]["type"]}
    return view
