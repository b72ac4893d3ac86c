"""`GET /admin/payments`: every payment and every notification, and what each caused."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, require_admin

from payments.adapters import payment_queries

Viewer = Annotated[Principal, Depends(require_admin())]


def admin_payments_router(database: Database) -> APIRouter:
    """Look at money."""
    router = APIRouter(prefix="/admin", tags=["admin"])

    @router.get("/payments")
    async def list_payments(
        _admin: Viewer, page: Annotated[PageRequest, Depends()], order_id: UUID | None = None
    ) -> Page[dict[str, Any]]:
        """Every payment of an order, and every IPN with what it caused or why it was ignored."""
        async with database.transaction() as transaction:
            rows = await payment_queries.entries(
                transaction, page.limit + 1, page.after(UUID), order_id
            )
        return Page[dict[str, Any]].of(rows, page.limit, lambda row: (row["id"],))

    return router
