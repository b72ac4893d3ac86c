"""`/v1/invoice`, `/v1/invoice-payment`, `/v1/payment`: what the shop buys and reads."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from nowpayments_simulator.bearer import Account
from nowpayments_simulator.cashier import Cashier
from nowpayments_simulator.errors import NotFound
from nowpayments_simulator.faults import FaultPanel
from nowpayments_simulator.gate import Gate
from nowpayments_simulator.js_response import JsResponse
from nowpayments_simulator.ledger import Ledger
from nowpayments_simulator.payment import Outcome
from nowpayments_simulator.payment_list import PaymentQuery, page_of
from nowpayments_simulator.requests import (
    InvoicePaymentRequest,
    InvoiceRequest,
    PaymentRequest,
    PayOrder,
)
from nowpayments_simulator.views import (
    ESTIMATE_HOLDS,
    created_view,
    invoice_view,
    iso,
    payment_view,
)

CASES = {
    "success": Outcome.FINISHED,
    "common": Outcome.FINISHED,
    "failed": Outcome.FAILED,
    "partially_paid": Outcome.PARTIALLY_PAID,
}


def create_router(
    ledger: Ledger, cashier: Cashier, gate: Gate, public_url: str | None
) -> APIRouter:
    """The POST side: invoices and payments."""
    router = APIRouter(
        prefix="/v1", dependencies=[Depends(gate.misbehave), Depends(gate.check_key)]
    )

    @router.post("/invoice")
    async def create_invoice(body: InvoiceRequest, request: Request) -> JsResponse:
        invoice = ledger.open_invoice(body)
        gate.lose_answer()
        base = (public_url or str(request.base_url)).rstrip("/")
        return JsResponse(invoice_view(invoice, f"{base}/pay/{invoice.invoice_id}"), 201)

    @router.post("/payment")
    async def create_payment(body: PaymentRequest) -> JsResponse:
        payment = ledger.open_payment(body)
        cashier.announce(payment)
        if body.case is not None:
            cashier.pay_payment(payment.payment_id, PayOrder(outcome=CASES[body.case]))
        gate.lose_answer()
        return JsResponse(created_view(payment), 201)

    @router.post("/invoice-payment")
    async def create_invoice_payment(body: InvoicePaymentRequest) -> JsResponse:
        payment = ledger.open_invoice_payment(body.iid, body.pay_currency, body.purchase_id)
        cashier.announce(payment)
        gate.lose_answer()
        return JsResponse(created_view(payment), 201)

    return router


def read_router(
    ledger: Ledger, account: Account, gate: Gate, panel: FaultPanel, now: Callable[[], datetime]
) -> APIRouter:
    """The GET side, and the refreshed estimate."""
    router = APIRouter(
        prefix="/v1", dependencies=[Depends(gate.misbehave), Depends(gate.check_key)]
    )

    @router.get("/payment/")
    @router.get("/payment")
    async def list_payments(
        request: Request, query: Annotated[PaymentQuery, Query()]
    ) -> JsResponse:
        account.check_token(request.headers.get("authorization"), now())
        candidates = (
            ledger.payments_of(query.invoiceId) if query.invoiceId else ledger.all_payments()
        )
        return JsResponse(page_of(candidates, query, panel.current))

    @router.get("/payment/{payment_id}")
    async def get_payment(payment_id: str) -> JsResponse:
        payment = ledger.payment(payment_number(payment_id))
        return JsResponse(payment_view(payment, panel.current))

    @router.post("/payment/{payment_id}/update-merchant-estimate")
    async def refresh_estimate(payment_id: str) -> JsResponse:
        payment = ledger.payment(payment_number(payment_id))
        return JsResponse(
            {
                "id": str(payment.payment_id),
                "token_id": str(payment.purchase_id),
                "pay_amount": payment.pay_amount,
                "expiration_estimate_date": iso(now() + ESTIMATE_HOLDS),
            }
        )

    return router


def payment_number(text: str) -> int:
    """A payment id from a path.

    Raises:
        NotFound: it is not a number, so there is no such payment.
    """
    if not (text.isascii() and text.isdigit()):
        raise NotFound("Payment")
    return int(text)
