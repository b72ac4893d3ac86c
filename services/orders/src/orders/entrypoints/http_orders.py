"""`POST /orders` and `GET /orders/{id}`: place an order, and its page."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from fastapi import APIRouter, Header, Response
from foundation.clock import Clock
from persistence.database import Database
from webkit.problems import FieldError, Problem
from webkit.tokens import BearerPrincipal, Principal, Scope, TokenSigner

from orders.adapters import order_repository, refund_repository
from orders.domain.order import Order
from orders.entrypoints.problems import NO_ORDER, as_problems
from orders.entrypoints.schemas import OrderIn, OrderPageOut, PlacedOrderOut
from orders.entrypoints.views import order_page, placed_order
from orders.errors import UnknownOrder
from orders.handlers.place_order import Item, Placing
from orders.order_tokens import order_token

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


def orders_router(
    place_order: Callable[[Placing], Awaitable[Order]],
    database: Database,
    signer: TokenSigner,
    clock: Clock,
) -> APIRouter:
    """The customer's doors to an order."""
    router = APIRouter(tags=["orders"])

    @router.post("/orders", status_code=201)
    async def place(body: OrderIn, idempotency_key: IdempotencyKey = None) -> PlacedOrderOut:
        """Place an order; the answer holds the token that opens it."""
        items = [Item(item.product_id, item.quantity) for item in body.items]
        placing = Placing(_address(body.email), items, idempotency_key)
        with as_problems():
            order = await place_order(placing)
        return placed_order(order, order_token(signer, order))

    @router.get("/orders/{order_id}")
    async def page(order_id: str, response: Response, principal: BearerPrincipal) -> OrderPageOut:
        """What the buyer sees of an order. Without its token it is unknown."""
        response.headers["Cache-Control"] = "no-store"
        with as_problems():
            known_id = opened_by(principal, order_id)
            async with database.transaction() as transaction:
                order = await order_repository.read(transaction, known_id)
                history = await order_repository.history(transaction, known_id)
                refunds = await refund_repository.of_order(transaction, known_id)
        if principal and principal.scope is Scope.ORDER and not order.token_holds(clock.now()):
            raise Problem(404, detail=NO_ORDER)
        return order_page(order, history, refunds)

    return router


def opened_by(principal: Principal | None, order_id: str) -> UUID:
    """The order's id if this token opens it.

    Raises:
        Problem: 404, the same for a missing order, a missing token and a foreign one.
    """
    may_open = principal is not None and (
        principal.scope is Scope.ADMIN
        or (principal.scope is Scope.ORDER and principal.subject == order_id)
    )
    try:
        known_id = UUID(order_id)
    except ValueError as error:
        raise Problem(404, detail=NO_ORDER) from error
    if not may_open:
        raise UnknownOrder(known_id)
    return known_id


def _address(email: str) -> str:
    try:
        # Letters beyond ASCII before the @ need SMTPUTF8, which many mail servers lack.
        checked = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        field = FieldError("email", "is not a valid e-mail address")
        raise Problem(422, "Invalid request", field.reason, errors=[field]) from error
    return checked.ascii_email or checked.normalized
