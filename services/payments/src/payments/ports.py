"""What payments needs from outside, by role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from payments.domain.payment import PaymentFacts


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """What an invoice at the gateway is to say; URLs are where it sends people and news."""

    order_id: str
    price_amount: Decimal
    price_currency: str
    description: str
    ipn_callback_url: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class CreatedInvoice:
    """The gateway's own id of an invoice, and the page on which it can be paid."""

    invoice_id: str
    url: str


class PaymentGateway(Protocol):
    """Takes money for us. Its errors are those below `GatewayError`."""

    async def create_invoice(self, order: InvoiceOrder) -> CreatedInvoice:
        """Make an invoice; asking twice makes two.

        Raises:
            InvoiceRefused: it would be refused again.
            GatewayUnavailable, GatewayUnauthorized: whether it was made is not known.
        """
        ...

    async def payment(self, payment_id: str) -> PaymentFacts:
        """What is true about one payment.

        Raises:
            PaymentNotFound: no such payment under our key.
            GatewayUnavailable, GatewayUnauthorized: there was no answer to rely on.
        """
        ...

    async def payments_of_invoice(self, invoice_id: str) -> Sequence[PaymentFacts]:
        """Every payment that was begun for an invoice, further deposits included.

        Raises:
            GatewayUnavailable, GatewayUnauthorized: there was no answer to rely on.
        """
        ...

    async def payments_since(self, moment: datetime) -> Sequence[PaymentFacts]:
        """Every payment of the account that was begun at or after a moment.

        Raises:
            GatewayUnavailable, GatewayUnauthorized: there was no answer to rely on.
        """
        ...
