"""NOWPayments over HTTP: the adapter of `PaymentGateway`.

Reads are tried twice here; everything else is tried again by job rows. Answers are read
as hostile: limited in size, numbers kept exact, every known spelling of a type accepted.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from payments.adapters.nowpayments_http import Answer, NowPaymentsHttp
from payments.adapters.nowpayments_login import Login
from payments.adapters.retries import read_twice
from payments.domain.js_json import JsonValue
from payments.domain.payment import PaymentFacts, read_facts
from payments.errors import (
    GatewayUnauthorized,
    GatewayUnavailable,
    InvoiceRefused,
    PaymentNotFound,
    UnreadablePayment,
)
from payments.ports import CreatedInvoice, InvoiceOrder

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 20
MAX_ACCOUNT_PAGES: Final = 1000
"""100,000 payments: more is asked for in shorter spans."""
_REFUSALS: Final = frozenset({400, 422})
_NOT_FOUND: Final = 404


class NowPaymentsClient:
    """Speaks the merchant API."""

    def __init__(self, http: NowPaymentsHttp, login: Login) -> None:
        self._http = http
        self._login = login

    async def create_invoice(self, order: InvoiceOrder) -> CreatedInvoice:
        """Make an invoice, asking once; see `PaymentGateway`."""
        answer = await self._http.call("POST", "/invoice", body=_invoice_body(order))
        reason = answer.text("message", "error")
        if answer.status in _REFUSALS and reason:
            raise InvoiceRefused(answer.text("code") or "BAD_REQUEST", reason)
        answer.raise_for_trouble()
        return _created(answer)

    async def payment(self, payment_id: str) -> PaymentFacts:
        """What is true about one payment; see `PaymentGateway`."""
        return await read_twice(lambda: self._payment(payment_id))

    async def payments_of_invoice(self, invoice_id: str) -> Sequence[PaymentFacts]:
        """Every payment of an invoice, page by page; see `PaymentGateway`."""
        return await self._pages({"invoiceId": invoice_id}, MAX_PAGES)

    async def payments_since(self, moment: datetime) -> Sequence[PaymentFacts]:
        """Every payment begun since a moment, page by page; see `PaymentGateway`."""
        return await self._pages({"dateFrom": moment.isoformat()}, MAX_ACCOUNT_PAGES)

    async def _pages(self, selection: Mapping[str, str], most: int) -> Sequence[PaymentFacts]:
        found: list[PaymentFacts] = []
        for page in range(most):
            rows = await self._page(selection, page)
            found.extend(_readable(row) for row in rows)
            if len(rows) < PAGE_SIZE:
                return found
        raise GatewayUnavailable(f"it lists more than {len(found)} payments: ask for less")

    async def _payment(self, payment_id: str) -> PaymentFacts:
        answer = await self._http.call("GET", f"/payment/{payment_id}")
        if answer.status == _NOT_FOUND and answer.text("code", "message"):
            raise PaymentNotFound(payment_id)
        answer.raise_for_trouble()
        facts = _readable(answer.document)
        if facts.payment_id != payment_id:
            raise GatewayUnavailable("it answered about another payment")
        return facts

    async def _page(self, selection: Mapping[str, str], page: int) -> Sequence[JsonValue]:
        try:
            return await read_twice(lambda: self._list(selection, page))
        except GatewayUnauthorized:
            # Tokens can end early; a second refusal is a wrong setting.
            return await self._list(selection, page)

    async def _list(self, selection: Mapping[str, str], page: int) -> Sequence[JsonValue]:
        token = await self._login.token()
        answer = await self._http.call(
            "GET",
            "/payment/",
            params={
                "limit": PAGE_SIZE,
                "page": page,
                "sortBy": "created_at",
                "orderBy": "asc",
                **selection,
            },
            headers={"authorization": f"Bearer {token.get_secret_value()}"},
        )
        try:
            answer.raise_for_trouble()
        except GatewayUnauthorized:
            self._login.forget(token)
            raise
        rows = answer.document.get("data") if isinstance(answer.document, dict) else None
        if not isinstance(rows, list):
            raise GatewayUnavailable("its list of payments is no list")
        return rows


def _invoice_body(order: InvoiceOrder) -> str:
    texts = json.dumps(
        {
            "price_currency": order.price_currency,
            "order_id": order.order_id,
            "order_description": order.description,
            "ipn_callback_url": order.ipn_callback_url,
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
        }
    )
    # The amount is a number there, and must not pass through a float.
    return f'{{"price_amount": {order.price_amount:f}, {texts[1:]}'


def _created(answer: Answer) -> CreatedInvoice:
    invoice_id, url = answer.text("id"), answer.text("invoice_url")
    if not invoice_id.isdigit() or not url.startswith(("https://", "http://")):
        raise GatewayUnavailable("its new invoice has no id or no page")
    return CreatedInvoice(invoice_id, url)


def _readable(row: JsonValue) -> PaymentFacts:
    try:
        return read_facts(row)
    except UnreadablePayment as error:
        raise GatewayUnavailable(str(error)) from error
