"""`/admin/products`: the catalogue in an admin's hands."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from contracts import SourceType
from fastapi import APIRouter, Depends, Request
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.problems import FieldError, Problem
from webkit.tokens import Principal, Role, require_admin

from orders.adapters import catalogue_repository
from orders.domain.catalogue import ProductStatus
from orders.entrypoints.http_products import SearchText
from orders.entrypoints.problems import as_problems
from orders.entrypoints.product_csv import as_product, read_products
from orders.entrypoints.schemas import (
    AdminProduct,
    ImportResult,
    NewProduct,
    ProductFields,
)
from orders.handlers.import_products import ImportProducts
from orders.handlers.manage_products import ManageProducts

Viewer = Annotated[Principal, Depends(require_admin())]
Editor = Annotated[Principal, Depends(require_admin(Role.STOCK))]


def admin_products_router(
    manage: ManageProducts, import_products: ImportProducts, database: Database
) -> APIRouter:
    """List, add, change and import products."""
    router = APIRouter(prefix="/admin/products", tags=["admin"])
    _add_views(router, database)
    _add_changes(router, manage)
    _add_import(router, import_products)
    return router


def _add_views(router: APIRouter, database: Database) -> None:
    @router.get("")
    async def search(
        _admin: Viewer,
        page: Annotated[PageRequest, Depends()],
        query: SearchText = None,
        source_type: SourceType | None = None,
        status: ProductStatus | None = None,
    ) -> Page[AdminProduct]:
        """All products, inactive ones and supplier ids included."""
        async with database.transaction() as transaction:
            found = await catalogue_repository.search(
                transaction,
                limit=page.limit + 1,
                after=page.after(str, UUID),
                query=query,
                source_type=source_type,
                status=status,
            )
        shown = [AdminProduct.of(product) for product in found]
        return Page[AdminProduct].of(shown, page.limit, lambda product: (product.title, product.id))

    @router.get("/{product_id}")
    async def show(product_id: UUID, _admin: Viewer) -> AdminProduct:
        """One product with cost and supplier ids."""
        async with database.transaction() as transaction:
            product = await catalogue_repository.find(transaction, product_id)
        if product is None:
            raise Problem(404, detail="There is no such product.")
        return AdminProduct.of(product)


def _add_changes(router: APIRouter, manage: ManageProducts) -> None:
    @router.post("", status_code=201)
    async def add(body: NewProduct, admin: Editor) -> AdminProduct:
        """Add a product; audited."""
        with as_problems():
            return AdminProduct.of(await manage.add(as_product(body), actor=admin.subject))

    @router.patch("/{product_id}")
    async def change(product_id: UUID, body: ProductFields, admin: Editor) -> AdminProduct:
        """Change the fields that are given; audited."""
        with as_problems():
            changed = await manage.change(product_id, _changes(body), actor=admin.subject)
        return AdminProduct.of(changed)


def _add_import(router: APIRouter, import_products: ImportProducts) -> None:
    @router.post("/import")
    async def import_csv(request: Request, admin: Editor) -> ImportResult:
        """Add or change products from a CSV file, line by line; audited."""
        if not request.headers.get("content-type", "").startswith("text/csv"):
            raise Problem(415, detail="Send the products as text/csv.")
        products, rejected = read_products(await request.body())
        with as_problems():
            counts = await import_products(products, actor=admin.subject)
        return ImportResult(
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            rejected=rejected,
        )


_NULLABLE = frozenset({"cost_usd", "kinguin_product_id", "kinguin_offer_id"})


def _changes(body: ProductFields) -> dict[str, Any]:
    """The given fields as the product has them; null empties a field that may be empty."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    for name, value in changes.items():
        if value is None and name not in _NULLABLE:
            field = FieldError(name, "may not be null")
            raise Problem(422, "Invalid request", "Some fields are not valid.", errors=[field])
    if body.cost_usd is not None:
        changes["cost_usd"] = Decimal(body.cost_usd)
    if body.retail_price is not None:
        changes["retail_price"] = Decimal(body.retail_price.amount)
        changes["currency"] = body.retail_price.currency
    return changes
