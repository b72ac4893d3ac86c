"""What clients post. Unknown fields are let through, as the real service does."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nowpayments_simulator.coins import COINS, is_known
from nowpayments_simulator.payment import Outcome, PaymentStatus


def _known(currency: object) -> object:
    if not isinstance(currency, str) or not is_known(currency):
        raise ValueError(f"Currency {currency} was not found")
    return currency.lower()


def _payable(currency: object) -> object:
    if not isinstance(currency, str) or currency.lower() not in COINS:
        raise ValueError(f"Currency {currency} was not found")
    return currency.lower()


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


Amount = Annotated[Decimal, Field(gt=0, max_digits=24)]
Currency = Annotated[str, BeforeValidator(_known)]
PayCurrency = Annotated[str, BeforeValidator(_payable)]
Text = Annotated[str, BeforeValidator(_as_text)]


class InvoiceRequest(BaseModel):
    """POST /v1/invoice."""

    price_amount: Amount
    price_currency: Currency
    pay_currency: PayCurrency | None = None
    ipn_callback_url: str | None = None
    order_id: Text | None = None
    order_description: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    partially_paid_url: str | None = None
    is_fixed_rate: bool = False
    is_fee_paid_by_user: bool = False


class PaymentRequest(BaseModel):
    """POST /v1/payment; `case` is the sandbox's way to a flow without money."""

    price_amount: Amount
    price_currency: Currency
    pay_currency: PayCurrency
    ipn_callback_url: str | None = None
    order_id: Text | None = None
    order_description: str | None = None
    purchase_id: int | None = None
    is_fixed_rate: bool = False
    is_fee_paid_by_user: bool = False
    case: Literal["success", "common", "failed", "partially_paid"] | None = None


class InvoicePaymentRequest(BaseModel):
    """POST /v1/invoice-payment."""

    iid: Text
    pay_currency: PayCurrency
    purchase_id: int | None = None
    order_description: str | None = None


class AuthRequest(BaseModel):
    """POST /v1/auth."""

    email: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=1)]


class PayOrder(BaseModel):
    """The control side's way to pay, as interfaces.md names it."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    paid_fraction: Annotated[Decimal, Field(ge=0, le=10)] | None = None
    """Share of the asked amount that arrives; by default 1, or 0.5 for partially_paid."""
    repeat: Annotated[int, Field(ge=1, le=50)] = 1
    """How often each IPN is sent."""
    shuffle: bool = False
    """All IPNs at the end, in random order."""
    child_deposit: bool = False
    """Afterwards the same amount arrives once more, as a payment of its own."""
    send_ipn: bool = True
    """False: the ledger moves and nobody is told."""
    pay_currency: PayCurrency | None = None


class ResendOrder(BaseModel):
    """Send one IPN again; another status than the ledger's is a replay of an old one."""

    model_config = ConfigDict(extra="forbid")

    status: PaymentStatus | None = None
