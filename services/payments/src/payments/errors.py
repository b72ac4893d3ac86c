"""What can go wrong in payments.

PaymentsError
├── BadSignature             nobody who knows a secret of ours sent this
├── UnreadablePayment        a payment lacks what every payment has
├── UnknownPayment           the order has no such payment (yet)
├── NotStored                a notification could not be kept: it has to come again
└── GatewayError
    ├── InvoiceRefused       for good: asking again would be refused again
    ├── PaymentNotFound      the gateway knows no such payment
    ├── GatewayUnavailable   passes by itself
    └── GatewayUnauthorized  the key, the e-mail or the password is wrong
"""

from uuid import UUID


class PaymentsError(Exception):
    """Base of everything payments raises itself."""


class BadSignature(PaymentsError):
    """Nobody who knows a secret of ours sent this."""


class UnreadablePayment(PaymentsError):
    """A payment lacks what every payment has, or says it in no known way."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"a payment needs a readable {field}")


class UnknownPayment(PaymentsError):
    """The order is not here, or has no such payment."""

    def __init__(self, order_id: UUID, payment_id: str) -> None:
        super().__init__(f"order {order_id} has no payment {payment_id}")


class NotStored(PaymentsError):
    """A notification could not be kept; its sender has to send it again."""


class GatewayError(PaymentsError):
    """The gateway did not do what it was asked."""


class InvoiceRefused(GatewayError):
    """The gateway refuses this invoice, and would do so again."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.reason = f"{code}: {message}"[:300]
        super().__init__(self.reason)


class PaymentNotFound(GatewayError):
    """The gateway knows no such payment, at least not under our key."""

    def __init__(self, payment_id: str) -> None:
        super().__init__(f"the gateway knows no payment {payment_id}")


class GatewayUnavailable(GatewayError):
    """Away, too slow, too busy, or not making sense: worth another try."""


class GatewayUnauthorized(GatewayError):
    """Our key, e-mail or password is refused: a person has to correct a setting."""
