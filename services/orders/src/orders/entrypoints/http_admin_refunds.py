"""`/admin/refunds`: the money that is owed back, and the transactions that sent it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, Role, require_admin

from orders.adapters import admin_queries, refund_repository
from orders.domain.refund import RefundState
from orders.entrypoints.problems import as_problems
from orders.entrypoints.refund_schemas import AdminRefundOut, SentIn
from orders.handlers.send_refunds import RecordSentRefund, Sent

Payer = Annotated[Principal, Depends(require_admin(Role.SUPPORT, Role.FINANCE))]


def admin_refunds_router(record_sent: RecordSentRefund, database: Database) -> APIRouter:
    """Refunds, and what becomes of them."""
    router = APIRouter(prefix="/admin/refunds", tags=["admin"])

    @router.get("")
    async def search(
        _admin: Payer,
        response: Response,
        page: Annotated[PageRequest, Depends()],
        state: RefundState | None = None,
    ) -> Page[AdminRefundOut]:
        """Refunds by state, newest first, with the addresses and what is odd about the orders."""
        response.headers["Cache-Control"] = "no-store"
        async with database.transaction() as transaction:
            found = await refund_repository.page(
                transaction, page.limit + 1, page.after(UUID), state
            )
            orders = {refund.order_id for refund in found}
            attention = await admin_queries.attention_of(transaction, orders)
        shown = [AdminRefundOut.of(refund, attention) for refund in found]
        return Page[AdminRefundOut].of(shown, page.limit, lambda refund: (refund.id,))

    @router.post("/{refund_id}/sent")
    async def sent(refund_id: UUID, body: SentIn, admin: Payer) -> AdminRefundOut:
        """Record the transaction of one refund; audited. The same one again changes nothing."""
        with as_problems():
            refund = await record_sent(refund_id, Sent(body.tx_hash, admin.subject, body.reason))
        async with database.transaction() as transaction:
            attention = await admin_queries.attention_of(transaction, {refund.order_id})
        return AdminRefundOut.of(refund, attention)

    return router
