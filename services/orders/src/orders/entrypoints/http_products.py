"""`GET /products`: the catalogue as customers see it."""

from typing import Annotated
from uuid import UUID

from contracts import SourceType
from fastapi import APIRouter, Depends, Query
from foundation.clock import Clock
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.problems import Problem

from orders.adapters import catalogue_repository
from orders.domain.catalogue import Product, ProductStatus, availability
from orders.domain.offer import OfferRules
from orders.domain.routing import Rollout, route
from orders.entrypoints.schemas import STORABLE, ProductOut
from orders.handlers.place_order import effective

SearchText = Annotated[str | None, Query(max_length=100, pattern=STORABLE)]


def products_router(
    database: Database, clock: Clock, offers: OfferRules, *, kinguin_enabled: bool
) -> APIRouter:
    """The public catalogue."""
    router = APIRouter(tags=["catalogue"])

    def public(product: Product, stored: Rollout) -> ProductOut:
        rollout = effective(stored, kinguin_enabled=kinguin_enabled)
        source = route(product.source_type, product.id, rollout, None)
        return ProductOut.of(product, availability(product, source, offers, clock.now()))

    @router.get("/products")
    async def search(
        page: Annotated[PageRequest, Depends()],
        query: SearchText = None,
        source_type: SourceType | None = None,
    ) -> Page[ProductOut]:
        """Products on sale, by words of their title and by source."""
        async with database.transaction() as transaction:
            stored = await catalogue_repository.get_rollout(transaction)
            found = await catalogue_repository.search(
                transaction,
                limit=page.limit + 1,
                after=page.after(str, UUID),
                query=query,
                source_type=source_type,
                status=ProductStatus.ACTIVE,
            )
        shown = [public(product, stored) for product in found]
        return Page[ProductOut].of(shown, page.limit, lambda product: (product.title, product.id))

    @router.get("/products/{product_id}")
    async def show(product_id: UUID) -> ProductOut:
        """One product on sale."""
        async with database.transaction() as transaction:
            stored = await catalogue_repository.get_rollout(transaction)
            product = await catalogue_repository.find(transaction, product_id)
        if product is None or product.status is not ProductStatus.ACTIVE:
            raise Problem(404, detail="There is no such product on sale.")
        return public(product, stored)

    return router
