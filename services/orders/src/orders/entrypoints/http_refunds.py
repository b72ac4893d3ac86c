"""`GET|POST /orders/{id}/refund`: what is owed back to the buyer, and where to send it.

The order's own token opens it for as long as the token lives, also long after delivery:
money may become owed at any time.
"""

from uuid import UUID

from fastapi import APIRouter, Response
from persistence.database import Database
from webkit.tokens import BearerPrincipal

from orders.adapters import order_repository, refund_repository
from orders.entrypoints.http_orders import opened_by
from orders.entrypoints.problems import as_problems
from orders.entrypoints.refund_schemas import AddressIn, RefundPageOut, refund_page
from orders.handlers.give_refund_address import GiveRefundAddress


def refunds_router(give_address: GiveRefundAddress, database: Database) -> APIRouter:
    """The buyer's doors to a refund."""
    router = APIRouter(prefix="/orders/{order_id}/refund", tags=["orders"])

    @router.get("")
    async def show(order_id: str, response: Response, principal: BearerPrincipal) -> RefundPageOut:
        """What is owed back, and the address given. Without its token the order is unknown."""
        response.headers["Cache-Control"] = "no-store"
        with as_problems():
            return await _page(database, opened_by(principal, order_id))

    @router.post("")
    async def give(
        order_id: str, body: AddressIn, response: Response, principal: BearerPrincipal
    ) -> RefundPageOut:
        """Say where to send what is owed back; it can be changed until it is sent."""
        response.headers["Cache-Control"] = "no-store"
        with as_problems():
            known_id = opened_by(principal, order_id)
            await give_address(known_id, body.coin, body.address)
            return await _page(database, known_id)

    return router


async def _page(database: Database, order_id: UUID) -> RefundPageOut:
    async with database.transaction() as transaction:
        order = await order_repository.read(transaction, order_id)
        return refund_page(order, await refund_repository.of_order(transaction, order_id))
