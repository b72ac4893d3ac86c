"""`payment.updated`: how far the payment of an order is."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal

from contracts.message import OrderMessage, Part
from contracts.topics import Topic
from contracts.values import CoinAmount, Money, Ticker


class PaymentState(StrEnum):
    """The gateway's words where it has one, and three of our own."""

    INVOICE_READY = "invoice_ready"
    WAITING = "waiting"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    SENDING = "sending"
    PARTIALLY_PAID = "partially_paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    MORE_MONEY = "more_money"
    NEEDS_ATTENTION = "needs_attention"


class Refundable(Part):
    """Money that fulfils nothing; `currency` is None where the gateway does not say the coin."""

    amount: Decimal
    currency: Ticker | None = None


class PaymentUpdated(OrderMessage):
    """payments → orders: everything about the money but its arrival.

    `more_money` is money beyond what the order asked for: `refundable` says how much of
    `payment_id` is owed back, all of it so far; said again when it grows.
    `price` is None where the order itself never reached payments, only its id.
    """

    topic: ClassVar[Topic] = Topic.PAYMENT_UPDATED

    type: Literal["payment.updated.v1"] = "payment.updated.v1"
    state: PaymentState
    price: Money | None = None
    invoice_url: str | None = None
    payment_id: str | None = None
    pay_currency: Ticker | None = None
    asked: CoinAmount | None = None
    paid: CoinAmount | None = None
    reason: str | None = None
    refundable: Refundable | None = None
