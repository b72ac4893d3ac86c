"""`/_simulator`: the side that tests and people use to make things happen.

It asks for no key: the simulator listens on loopback, for development only.
"""

from typing import Any

from fastapi import APIRouter

from nowpayments_simulator.cashier import Cashier
from nowpayments_simulator.faults import FaultPanel, Faults
from nowpayments_simulator.http_payments import payment_number
from nowpayments_simulator.js_response import JsResponse
from nowpayments_simulator.ledger import Ledger
from nowpayments_simulator.requests import PayOrder, ResendOrder
from nowpayments_simulator.views import invoice_row, ledger_row


def control_router(ledger: Ledger, cashier: Cashier, panel: FaultPanel) -> APIRouter:
    """Pay, resend, faults and the ledger."""
    router = APIRouter(prefix="/_simulator")
    router.include_router(_payments_router(ledger, cashier))

    @router.get("/ledger")
    async def show_ledger() -> JsResponse:
        return JsResponse(
            {
                "invoices": [invoice_row(invoice) for invoice in ledger.all_invoices()],
                "payments": [ledger_row(payment) for payment in ledger.all_payments()],
            }
        )

    @router.get("/faults")
    async def show_faults() -> dict[str, Any]:
        return panel.current.model_dump()

    @router.put("/faults")
    async def set_faults(body: Faults) -> dict[str, Any]:
        panel.current = body
        return body.model_dump()

    return router


def _payments_router(ledger: Ledger, cashier: Cashier) -> APIRouter:
    """What a buyer, the network or the gateway does to a payment."""
    router = APIRouter()

    @router.post("/invoices/{invoice_id}/pay")
    async def pay_invoice(invoice_id: str, body: PayOrder) -> JsResponse:
        return JsResponse(ledger_row(cashier.pay_invoice(invoice_id, body)))

    @router.post("/payments/{payment_id}/pay")
    async def pay_payment(payment_id: str, body: PayOrder) -> JsResponse:
        return JsResponse(ledger_row(cashier.pay_payment(payment_number(payment_id), body)))

    @router.post("/payments/{payment_id}/deposit")
    async def deposit(payment_id: str, body: PayOrder) -> JsResponse:
        return JsResponse(ledger_row(cashier.deposit(payment_number(payment_id), body)))

    @router.post("/payments/{payment_id}/refund")
    async def refund(payment_id: str) -> JsResponse:
        return JsResponse(ledger_row(await cashier.refund(payment_number(payment_id))))

    @router.post("/payments/{payment_id}/resend")
    async def resend(payment_id: str, body: ResendOrder) -> JsResponse:
        await cashier.resend(payment_number(payment_id), body.status)
        return JsResponse(ledger_row(ledger.payment(payment_number(payment_id))))

    return router
