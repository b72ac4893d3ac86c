"""Builders and fakes for tests of payments."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts import Money, OrderPlaced, PlacedLine, SourceType
from foundation.clock import new_id
from foundation.sealing import new_ring
from foundation.settings import SecretRing
from foundation.testing import FixedClock
from pydantic import SecretStr
from servicekit.testing import ServiceHarness
from webkit.tokens import TokenSigner

from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.ipn_signature import sign
from payments.domain.js_json import canonical_text, parse_json
from payments.domain.payment import PaymentFacts, PaymentStatus, read_facts
from payments.errors import GatewayError, PaymentNotFound
from payments.ports import CreatedInvoice, InvoiceOrder
from payments.settings import PaymentsSettings

IPN_SECRET = "simulator-ipn-secret-1"
OLD_IPN_SECRET = "an-older-ipn-secret-2"

SIGNER = TokenSigner(SecretRing.parse(new_ring()))
"""Signs the tokens that a service built with `jwks=SIGNER.static_jwks()` accepts."""

NOW = FixedClock().now()


def some_settings(database_url: str, **changes: Any) -> PaymentsSettings:
    """Settings that work, on the given database."""
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "nowpayments_api_url": "http://127.0.0.1:9/v1",
        "nowpayments_api_key": SecretStr("test-api-key"),
        "nowpayments_ipn_secrets": (SecretStr(IPN_SECRET), SecretStr(OLD_IPN_SECRET)),
        "nowpayments_email": SecretStr("shop@bitloot.test"),
        "nowpayments_password": SecretStr("test-password"),
        "ipn_callback_url": "http://127.0.0.1:8001/webhooks/nowpayments",
        "storefront_url": "http://127.0.0.1:8000",
    }
    return PaymentsSettings(**(values | changes))


def an_order(
    *, amount: str = "25.00", expires_at: datetime = NOW + timedelta(hours=1)
) -> OrderPlaced:
    """An order of one line that waits for its payment."""
    line = PlacedLine(
        line_id=new_id(), product_id=new_id(), quantity=1, source_type=SourceType.CUSTOM
    )
    return OrderPlaced(
        id=new_id(),
        occurred_at=NOW,
        order_id=new_id(),
        total=Money(amount=Decimal(amount), currency="USD"),
        expires_at=expires_at,
        description="Moon Farmer",
        lines=(line,),
    )


def an_invoice(
    *,
    order_id: UUID | None = None,
    amount: str = "25.00",
    currency: str = "USD",
    settled_by: str | None = None,
) -> Invoice:
    """An order that can be paid."""
    return Invoice(
        order_id=order_id or new_id(),
        price=Money(amount=Decimal(amount), currency=currency),
        description="Moon Farmer",
        placed_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        state=InvoiceState.SETTLED if settled_by else InvoiceState.INVOICED,
        invoice_id="4522000001",
        invoice_url="https://pay.test/4522000001",
        settled_by=settled_by,
    )


def some_fields(order_id: UUID | None, /, **changes: Any) -> dict[str, Any]:
    """A payment as the gateway spells it, with everything paid."""
    fields: dict[str, Any] = {
        "payment_id": 5745459419,
        "parent_payment_id": None,
        "invoice_id": 4522000001,
        "payment_status": "finished",
        "price_amount": 25,
        "price_currency": "usd",
        "pay_amount": 19.36121163,
        "actually_paid": 19.36121163,
        "actually_paid_at_fiat": 0,
        "pay_currency": "xrp",
        "order_id": str(order_id) if order_id else None,
        "order_description": "Moon Farmer",
        "purchase_id": "5837122679",
        "outcome_amount": 24.1,
        "outcome_currency": "usdttrc20",
        "payment_extra_ids": None,
        "fee": {"currency": "usdttrc20", "depositFee": 0.12, "serviceFee": 0, "withdrawalFee": 0},
    }
    return fields | changes


def some_facts(order_id: UUID | None, /, **changes: Any) -> PaymentFacts:
    """The same, read."""
    return read_facts(parse_json(json.dumps(some_fields(order_id, **changes)).encode()))


def an_ipn(order_id: UUID | None, status: str = "finished", /, **changes: Any) -> bytes:
    """The body of a notification; before money comes nothing is paid."""
    paid = {} if status not in {"waiting", "expired"} else {"actually_paid": 0}
    fields = some_fields(order_id, **({"payment_status": status} | paid | changes))
    return canonical_text(parse_json(json.dumps(fields).encode())).encode()


def signed(body: bytes, secret: str = IPN_SECRET) -> dict[str, str]:
    """The headers of a notification whose body is canonical already."""
    return {"x-nowpayments-sig": sign(body, secret), "content-type": "application/json"}


async def notify(payments: ServiceHarness, *bodies: bytes) -> None:
    """Send signed notifications, which must be taken.

    Raises:
        httpx.HTTPStatusError: one was not.
    """
    for body in bodies:
        answer = await payments.http.post(
            "/webhooks/nowpayments", content=body, headers=signed(body)
        )
        answer.raise_for_status()


class FakeGateway:
    """A gateway in memory: `payments` is its truth, `trouble` is raised by every call.

    `refusal` is raised by `create_invoice` alone, `list_trouble` by the list alone.
    """

    def __init__(self) -> None:
        self.invoices: dict[str, InvoiceOrder] = {}
        self.payments: dict[str, PaymentFacts] = {}
        self.begun: dict[str, datetime] = {}
        self.trouble: GatewayError | None = None
        self.refusal: GatewayError | None = None
        self.list_trouble: GatewayError | None = None

    async def create_invoice(self, order: InvoiceOrder) -> CreatedInvoice:
        """Make an invoice; ids count up."""
        self._raise(self.trouble, self.refusal)
        invoice_id = str(4522000001 + len(self.invoices))
        self.invoices[invoice_id] = order
        return CreatedInvoice(invoice_id, f"https://pay.test/{invoice_id}")

    async def payment(self, payment_id: str) -> PaymentFacts:
        """What is true about a payment; its parent is named in the list only, as live."""
        self._raise(self.trouble)
        if payment_id not in self.payments:
            raise PaymentNotFound(payment_id)
        return replace(self.payments[payment_id], parent_payment_id=None)

    async def payments_of_invoice(self, invoice_id: str) -> Sequence[PaymentFacts]:
        """The payments of an invoice."""
        self._raise(self.trouble, self.list_trouble)
        return [facts for facts in self.payments.values() if facts.invoice_id == invoice_id]

    async def payments_since(self, moment: datetime) -> Sequence[PaymentFacts]:
        """All payments begun since then; `begun` says when, else it was now."""
        self._raise(self.trouble, self.list_trouble)
        begun = self.begun
        return [f for f in self.payments.values() if begun.get(f.payment_id, moment) >= moment]

    def put(
        self, order_id: UUID | None, status: str = "finished", /, **fields: Any
    ) -> PaymentFacts:
        """Make this the truth about a payment."""
        facts = some_facts(order_id, **({"payment_status": status} | fields))
        self.payments[facts.payment_id] = facts
        return facts

    def open_payment(self, invoice_id: str, status: PaymentStatus) -> PaymentFacts:
        """A new payment of an invoice, asked and priced as the invoice says."""
        order = self.invoices[invoice_id]
        return self.put(
            UUID(order.order_id),
            status.value,
            payment_id=5745459419 + len(self.payments),
            invoice_id=int(invoice_id),
            price_amount=str(order.price_amount),
            price_currency=order.price_currency,
        )

    @staticmethod
    def _raise(*troubles: GatewayError | None) -> None:
        for trouble in troubles:
            if trouble is not None:
                raise trouble
