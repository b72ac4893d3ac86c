"""`/admin/kinguin/products`: find what Kinguin sells, to import it into the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from webkit.paging import Page, PageRequest, encode_cursor
from webkit.tokens import Principal, require_admin

from fulfillment_kinguin.entrypoints.problems import as_problems
from fulfillment_kinguin.entrypoints.schemas import ProductOut
from fulfillment_kinguin.ports import KeySupplier

Viewer = Annotated[Principal, Depends(require_admin())]
Name = Annotated[str, Query(min_length=3, max_length=100)]
ProductId = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$")]


def kinguin_products_router(supplier: KeySupplier) -> APIRouter:
    """Search, and one product by either of Kinguin's ids."""
    router = APIRouter(prefix="/admin/kinguin", tags=["admin"])

    @router.get("/products")
    async def search(
        _admin: Viewer, name: Name, page: Annotated[PageRequest, Depends()]
    ) -> Page[ProductOut]:
        """Search Kinguin's catalogue by name, to import from it."""
        (number,) = page.after(_page_number) or (1,)
        with as_problems():
            found = await supplier.products(name, page=number, limit=page.limit)
        has_more = bool(found.products) and number * page.limit < found.total
        return Page[ProductOut](
            items=[ProductOut.of(product) for product in found.products],
            next_cursor=encode_cursor((number + 1,)) if has_more else None,
        )

    @router.get("/products/{product_id}")
    async def show(product_id: ProductId, _admin: Viewer) -> ProductOut:
        """One product of Kinguin's catalogue with its offers."""
        with as_problems():
            return ProductOut.of(await supplier.product(product_id))

    return router


def _page_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:  # noqa: PLR2004  nobody pages further by hand
        raise ValueError(number)
    return number
