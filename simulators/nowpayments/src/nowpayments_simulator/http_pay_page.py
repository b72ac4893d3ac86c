"""`/pay/{invoice_id}`: the hosted page of an invoice, as plain forms without JavaScript."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from nowpayments_simulator.cashier import Cashier
from nowpayments_simulator.errors import BadRequest, NotFound
from nowpayments_simulator.ledger import Ledger
from nowpayments_simulator.pay_page import missing_page, pay_page
from nowpayments_simulator.requests import PayOrder

LONGEST_FORM = 2048
SEE_OTHER = 303


def pay_page_router(ledger: Ledger, cashier: Cashier) -> APIRouter:
    """Show the page; a button's form posts back to the same address."""
    router = APIRouter(prefix="/pay", default_response_class=HTMLResponse)

    @router.get("/{invoice_id}")
    async def show(invoice_id: str) -> HTMLResponse:
        try:
            invoice = ledger.invoice(invoice_id)
        except NotFound:
            return HTMLResponse(missing_page(), 404)
        return HTMLResponse(pay_page(invoice, ledger.payments_of(invoice_id)))

    @router.post("/{invoice_id}")
    async def pay(invoice_id: str, request: Request) -> RedirectResponse:
        cashier.pay_invoice(invoice_id, await _order(request))
        return RedirectResponse(f"/pay/{invoice_id}", SEE_OTHER)

    return router


async def _order(request: Request) -> PayOrder:
    body = await request.body()
    if len(body) > LONGEST_FORM:
        raise BadRequest("the form is too long")
    fields = parse_qs(body.decode("utf-8", "replace"))
    try:
        return PayOrder.model_validate({name: values[-1] for name, values in fields.items()})
    except ValidationError:
        raise BadRequest("the form does not name a possible outcome") from None
