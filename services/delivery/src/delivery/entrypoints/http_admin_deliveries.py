"""`GET /admin/deliveries`: where deliveries are and who opened them; never a key."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, require_admin

from delivery.adapters import delivery_queries

Viewer = Annotated[Principal, Depends(require_admin())]


def admin_deliveries_router(database: Database) -> APIRouter:
    """For support: states, counts and the audit of reveals."""
    router = APIRouter(prefix="/admin/deliveries", tags=["admin"])

    @router.get("")
    async def search(
        _admin: Viewer, page: Annotated[PageRequest, Depends()], order_id: UUID | None = None
    ) -> Page[dict[str, Any]]:
        """Deliveries, newest first; of one order with `order_id`. Never a key."""
        async with database.transaction() as transaction:
            rows = await delivery_queries.search(
                transaction, page.limit + 1, page.after(UUID), order_id
            )
        return Page[dict[str, Any]].of(rows, page.limit, lambda row: (row["id"],))

    return router
