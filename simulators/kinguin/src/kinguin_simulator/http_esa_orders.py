"""The buyer API's orders: placing, reading, searching, keys and their return."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from kinguin_simulator.basket import Wanted
from kinguin_simulator.catalogue import Catalogue, Product
from kinguin_simulator.edge import CREATED, KeyCheck
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.requests import (
    OrderSearch,
    OrderV1,
    OrderV2,
    Paging,
    ProductById,
    ProductByNumber,
)
from kinguin_simulator.search import find_orders
from kinguin_simulator.views import key_views, order_view


def orders_router(catalogue: Catalogue, ledger: Ledger, key_check: KeyCheck) -> APIRouter:
    """Orders of both versions; keys only of the second."""
    router = APIRouter(prefix="/esa/api", dependencies=[Depends(key_check)])
    _add_placing(router, catalogue, ledger)
    _add_reading(router, ledger)
    _add_keys(router, ledger)
    return router


def _add_placing(router: APIRouter, catalogue: Catalogue, ledger: Ledger) -> None:
    @router.post("/v1/order")
    async def place_by_number(body: OrderV1) -> JSONResponse:
        basket = [
            _wanted(item, catalogue.by_kinguin_id.get(item.kinguinId)) for item in body.products
        ]
        order = ledger.place(basket, body.orderExternalId)
        return JSONResponse(order_view(order, with_keys=False), CREATED)

    @router.post("/v2/order")
    async def place_by_id(body: OrderV2) -> JSONResponse:
        basket = [
            _wanted(item, catalogue.by_product_id.get(item.productId)) for item in body.products
        ]
        order = ledger.place(basket, body.orderExternalId)
        return JSONResponse(order_view(order, with_keys=False), CREATED)


def _add_reading(router: APIRouter, ledger: Ledger) -> None:
    @router.get("/v1/order")
    async def search_orders(query: Annotated[OrderSearch, Query()]) -> JSONResponse:
        orders = find_orders(ledger, query)
        page = [order_view(order, with_keys=True) for order in query.cut(orders)]
        return JSONResponse({"results": page, "item_count": len(orders)})

    @router.get("/v1/order/{order_id}")
    async def read_order(order_id: str) -> JSONResponse:
        return JSONResponse(order_view(ledger.poll(order_id), with_keys=True))


def _add_keys(router: APIRouter, ledger: Ledger) -> None:
    @router.get("/v2/order/{order_id}/keys")
    async def read_keys(order_id: str, paging: Annotated[Paging, Query()]) -> JSONResponse:
        return JSONResponse(paging.cut(key_views(ledger.poll(order_id))))

    @router.post("/v2/order/{order_id}/keys/return")
    async def return_keys(order_id: str) -> JSONResponse:
        keys = ledger.request_return(order_id)
        return JSONResponse([{"id": key.id, "status": key.status} for key in keys])


def _wanted(item: ProductByNumber | ProductById, product: Product | None) -> Wanted:
    return Wanted(
        product=product,
        quantity=item.qty,
        price=item.price,
        offer_id=item.offerId,
        key_type=item.keyType,
    )
