"""The buyer API's catalogue: search, single products, lists, and the balance."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from kinguin_simulator.catalogue import Catalogue, Product
from kinguin_simulator.edge import KeyCheck
from kinguin_simulator.errors import NotFound
from kinguin_simulator.faults import FaultPanel
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.names import GENRES, PLATFORMS, REGIONS
from kinguin_simulator.requests import ProductSearch
from kinguin_simulator.search import find_products
from kinguin_simulator.views import product_view


def products_router(
    catalogue: Catalogue, ledger: Ledger, panel: FaultPanel, key_check: KeyCheck
) -> APIRouter:
    """Everything a buyer reads before ordering."""
    router = APIRouter(prefix="/esa/api", dependencies=[Depends(key_check)])

    def shown(product: Product) -> dict[str, Any]:
        return product_view(product, ledger.left, panel.current.price_factor)

    def found(product: Product | None) -> JSONResponse:
        # A product out of stock answers 404, as one that does not exist.
        if product is None or not any(ledger.left(offer) for offer in product.offers):
            raise NotFound("Product not found")
        return JSONResponse(shown(product))

    @router.get("/v1/products")
    async def search_products(query: Annotated[ProductSearch, Query()]) -> JSONResponse:
        products = find_products(catalogue, query, ledger.left)
        page = [shown(product) for product in query.cut(products)]
        return JSONResponse({"results": page, "item_count": len(products)})

    @router.get("/v1/products/{kinguin_id}")
    async def product_by_number(kinguin_id: str) -> JSONResponse:
        number = int(kinguin_id) if kinguin_id.isascii() and kinguin_id.isdigit() else 0
        return found(catalogue.by_kinguin_id.get(number))

    @router.get("/v2/products/{product_id}")
    async def product_by_id(product_id: str) -> JSONResponse:
        return found(catalogue.by_product_id.get(product_id))

    _add_lists(router, ledger)
    return router


def _add_lists(router: APIRouter, ledger: Ledger) -> None:
    @router.get("/v1/regions")
    async def regions() -> list[dict[str, Any]]:
        return [{"id": number, "name": name} for number, name in REGIONS.items()]

    @router.get("/v1/platforms")
    async def platforms() -> list[str]:
        return list(PLATFORMS)

    @router.get("/v1/genres")
    async def genres() -> list[str]:
        return list(GENRES)

    @router.get("/v1/balance")
    async def balance() -> dict[str, float]:
        return {"balance": float(ledger.balance)}
