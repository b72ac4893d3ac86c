"""Invoices and payments as the ledger keeps them, and the states a payment passes.

An invoice is not a payment: a payment appears when the customer picks a coin,
and one invoice can have several.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel

from nowpayments_simulator.coins import rounded


class PaymentStatus(StrEnum):
    """NOWPayments' own words."""

    WAITING = "waiting"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    SENDING = "sending"
    PARTIALLY_PAID = "partially_paid"
    FINISHED = "finished"
    FAILED = "failed"
    REFUNDED = "refunded"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """How a payment is to end; `waiting`: a coin is picked, and nothing is paid."""

    WAITING = "waiting"
    FINISHED = "finished"
    PARTIALLY_PAID = "partially_paid"
    FAILED = "failed"
    EXPIRED = "expired"


_ON_CHAIN = (PaymentStatus.CONFIRMING, PaymentStatus.CONFIRMED, PaymentStatus.SENDING)
STEPS = {
    Outcome.WAITING: (),
    Outcome.FINISHED: (*_ON_CHAIN, PaymentStatus.FINISHED),
    Outcome.PARTIALLY_PAID: (*_ON_CHAIN, PaymentStatus.PARTIALLY_PAID),
    Outcome.FAILED: (PaymentStatus.CONFIRMING, PaymentStatus.FAILED),
    Outcome.EXPIRED: (PaymentStatus.EXPIRED,),
}
USUAL_FRACTION = {
    Outcome.WAITING: Decimal(0),
    Outcome.FINISHED: Decimal(1),
    Outcome.PARTIALLY_PAID: Decimal("0.5"),
    Outcome.FAILED: Decimal(0),
    Outcome.EXPIRED: Decimal(0),
}
_BEFORE_MONEY = {PaymentStatus.WAITING, PaymentStatus.EXPIRED}


class Invoice(BaseModel):
    """What the shop asked for; `price_currency` is lower case."""

    invoice_id: str
    token_id: str
    price_amount: Decimal
    price_currency: str
    created_at: datetime
    order_id: str | None = None
    order_description: str | None = None
    pay_currency: str | None = None
    ipn_callback_url: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    partially_paid_url: str | None = None
    is_fixed_rate: bool = False
    is_fee_paid_by_user: bool = False


class Payment(BaseModel):
    """One deposit address and what happened on it; `planned` states are still to come."""

    payment_id: int
    purchase_id: int
    price_amount: Decimal
    price_currency: str
    pay_amount: Decimal
    pay_currency: str
    pay_address: str
    created_at: datetime
    updated_at: datetime
    invoice_id: str | None = None
    order_id: str | None = None
    order_description: str | None = None
    ipn_callback_url: str | None = None
    payin_extra_id: str | None = None
    parent_payment_id: int | None = None
    payment_status: PaymentStatus = PaymentStatus.WAITING
    actually_paid: Decimal = Decimal(0)
    will_pay: Decimal = Decimal(0)
    planned: tuple[PaymentStatus, ...] = ()
    child_ids: tuple[int, ...] = ()
    is_fixed_rate: bool = False
    is_fee_paid_by_user: bool = False

    def planning(self, outcome: Outcome, fraction: Decimal | None) -> "Payment":
        """This payment with its way to `outcome`; one that had ended goes there at once."""
        share = USUAL_FRACTION[outcome] if fraction is None else fraction
        steps = STEPS[outcome]
        if self.payment_status is not PaymentStatus.WAITING:
            steps = steps[-1:]
        will_pay = max(self.actually_paid, rounded(self.pay_amount * share))
        return self.model_copy(update={"planned": steps, "will_pay": will_pay})

    def given_back(self, now: datetime) -> "Payment":
        """This payment after the gateway has sent the money back; what came stays on record."""
        return self.model_copy(
            update={
                "payment_status": PaymentStatus.REFUNDED,
                "planned": (),
                "updated_at": now,
            }
        )

    def moved_on(self, now: datetime) -> "Payment":
        """This payment in its next planned state."""
        status, *rest = self.planned
        paid = self.actually_paid if status in _BEFORE_MONEY else self.will_pay
        return self.model_copy(
            update={
                "payment_status": status,
                "planned": tuple(rest),
                "actually_paid": paid,
                "updated_at": now,
            }
        )
