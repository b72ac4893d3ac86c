"""What admins watch: who changed what, and the figures of the first look."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, require_admin

from orders.adapters import admin_queries

Viewer = Annotated[Principal, Depends(require_admin())]


def admin_overview_router(database: Database) -> APIRouter:
    """The audit log and the dashboard."""
    router = APIRouter(prefix="/admin", tags=["admin"])

    @router.get("/audit")
    async def audit(
        _admin: Viewer, page: Annotated[PageRequest, Depends()]
    ) -> Page[dict[str, Any]]:
        """Who changed what, newest first."""
        async with database.transaction() as transaction:
            rows = await admin_queries.audit_rows(transaction, page.limit + 1, page.after(UUID))
        return Page[dict[str, Any]].of(rows, page.limit, lambda row: (row["id"],))

    @router.get("/dashboard")
    async def dashboard(_admin: Viewer) -> dict[str, Any]:
        """Counts of orders, money and failures for the first look."""
        async with database.transaction() as transaction:
            return await admin_queries.dashboard(transaction)

    return router
