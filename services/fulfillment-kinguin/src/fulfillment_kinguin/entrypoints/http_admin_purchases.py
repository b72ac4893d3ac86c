"""`/admin/purchases` and `/admin/balance`: look at purchases, act on them, see the money."""

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, Role, require_admin

from fulfillment_kinguin.adapters import purchase_queries
from fulfillment_kinguin.domain.purchase import PurchaseState
from fulfillment_kinguin.entrypoints.problems import as_problems
from fulfillment_kinguin.entrypoints.schemas import ActionIn, BalanceOut, PurchaseOut, euros
from fulfillment_kinguin.handlers.act_on_purchase import ActionRequest, ActOnPurchase
from fulfillment_kinguin.ports import KeySupplier

Viewer = Annotated[Principal, Depends(require_admin())]
Actor = Annotated[Principal, Depends(require_admin(Role.SUPPORT, Role.STOCK, Role.FINANCE))]


def admin_purchases_router(
    act: ActOnPurchase, supplier: KeySupplier, database: Database
) -> APIRouter:
    """Purchases and the balance that pays them."""
    router = APIRouter(prefix="/admin", tags=["admin"])

    @router.get("/purchases")
    async def purchases(
        _admin: Viewer,
        page: Annotated[PageRequest, Depends()],
        state: PurchaseState | None = None,
    ) -> Page[PurchaseOut]:
        """Purchases at Kinguin, newest first; of one state with `state`."""
        async with database.transaction() as transaction:
            rows = await purchase_queries.find(transaction, page.limit + 1, page.after(UUID), state)
        shown = [_purchase(row) for row in rows]
        return Page[PurchaseOut].of(shown, page.limit, lambda purchase: (purchase.id,))

    @router.post("/purchases/{purchase_id}/actions")
    async def do(purchase_id: UUID, body: ActionIn, admin: Actor) -> PurchaseOut:
        """Poll now, search again, or give a purchase up; audited."""
        with as_problems():
            await act(ActionRequest(purchase_id, body.action, admin.subject, body.reason))
        async with database.transaction() as transaction:
            return _purchase(await purchase_queries.one(transaction, purchase_id))

    @router.get("/balance")
    async def balance(_admin: Viewer) -> BalanceOut:
        """What the shop's account at Kinguin holds."""
        with as_problems():
            return BalanceOut.model_validate({"balance": euros(await supplier.balance())})

    return router


def _purchase(row: sa.Row[Any]) -> PurchaseOut:
    facts = row._mapping  # noqa: SLF001  SQLAlchemy's documented name for a row as a mapping
    prices = {
        "price_asked": euros(row.price_asked_eur),
        "price_charged": euros(row.price_charged_eur),
    }
    return PurchaseOut.model_validate({**facts, **prices})
