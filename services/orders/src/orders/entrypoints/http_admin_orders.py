"""`/admin/orders`: look at orders, and act on them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, Role, require_admin

from orders.adapters import admin_queries, order_repository
from orders.domain.states import OrderStatus
from orders.entrypoints.http_products import SearchText
from orders.entrypoints.problems import as_problems
from orders.entrypoints.schemas import ActionIn, AdminOrderDetailOut, AdminOrderOut
from orders.entrypoints.views import admin_order, admin_order_detail
from orders.handlers.admin_actions import Action, ActionRequest, ActOnOrder

Viewer = Annotated[Principal, Depends(require_admin())]
Actor = Annotated[Principal, Depends(require_admin(Role.SUPPORT, Role.FINANCE))]


def admin_orders_router(act: ActOnOrder, database: Database) -> APIRouter:
    """Orders: searched, shown, and acted upon."""
    router = APIRouter(prefix="/admin", tags=["admin"])

    @router.get("/orders")
    async def search(
        _admin: Viewer,
        page: Annotated[PageRequest, Depends()],
        status: OrderStatus | None = None,
        query: SearchText = None,
    ) -> Page[AdminOrderOut]:
        """Orders, newest first, by status, address or id."""
        async with database.transaction() as transaction:
            ids = await admin_queries.find_orders(
                transaction, page.limit + 1, page.after(UUID), status, query
            )
            found = [await order_repository.read(transaction, order_id) for order_id in ids]
        shown = [admin_order(order) for order in found]
        return Page[AdminOrderOut].of(shown, page.limit, lambda order: (order.id,))

    @router.get("/orders/{order_id}")
    async def show(order_id: UUID, _admin: Viewer) -> AdminOrderDetailOut:
        """One order with its lines, its money and its history."""
        with as_problems():
            return await _detail(database, order_id)

    @router.post("/orders/{order_id}/actions")
    async def do(order_id: UUID, body: ActionIn, admin: Actor) -> AdminOrderDetailOut:
        """Cancel, try again, accept or mark refunded; audited."""
        request = ActionRequest(
            order_id,
            Action(body.action),
            admin.subject,
            body.reason,
            body.tx_hash,
            body.line_ids,
        )
        with as_problems():
            await act(request)
            return await _detail(database, order_id)

    return router


async def _detail(database: Database, order_id: UUID) -> AdminOrderDetailOut:
    async with database.transaction() as transaction:
        order = await order_repository.read(transaction, order_id)
        return admin_order_detail(order, await order_repository.history(transaction, order_id))
