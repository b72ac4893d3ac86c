"""`/orders/{id}/bad-keys` and `.../items/{item_id}/report`: keys that do not work.

The order's own token opens them for as long as it lives: a key may be reported longer than
the order page is shown.
"""

from uuid import UUID

from fastapi import APIRouter, Response
from foundation.clock import Clock
from persistence.database import Database
from webkit.tokens import BearerPrincipal

from orders.adapters import bad_key_repository, order_repository
from orders.entrypoints.bad_key_schemas import BadKeysOut, CaseOut, ReportIn, bad_keys
from orders.entrypoints.http_orders import opened_by
from orders.entrypoints.problems import as_problems
from orders.handlers.report_bad_key import ReportBadKey


def bad_keys_router(report: ReportBadKey, database: Database, clock: Clock) -> APIRouter:
    """The buyer's doors to a case."""
    router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])

    @router.get("/bad-keys")
    async def show(order_id: str, response: Response, principal: BearerPrincipal) -> BadKeysOut:
        """Items whose keys can be reported or were. Without its token the order is unknown."""
        response.headers["Cache-Control"] = "no-store"
        with as_problems():
            known_id = opened_by(principal, order_id)
            async with database.transaction() as transaction:
                order = await order_repository.read(transaction, known_id)
                cases = await bad_key_repository.of_order(transaction, known_id)
        return bad_keys(order, cases, clock.now(), report.limit)

    @router.post("/items/{item_id}/report")
    async def say(
        order_id: str,
        item_id: UUID,
        body: ReportIn,
        response: Response,
        principal: BearerPrincipal,
    ) -> CaseOut:
        """Report that a key does not work; once an item, the same case is answered again."""
        response.headers["Cache-Control"] = "no-store"
        with as_problems():
            return CaseOut.of(await report(opened_by(principal, order_id), item_id, body.reason))

    return router
