"""Builders of what payments sends."""

from typing import Unpack

from contracts.payment_confirmed import PaymentConfirmed
from contracts.payment_updated import PaymentState, PaymentUpdated, Refundable
from contracts.testing.values import OrderEnvelope, a_coin_amount, a_price, order_envelope
from contracts.values import CoinAmount, Money


def a_payment_updated(
    *,
    state: PaymentState = PaymentState.WAITING,
    price: Money | None = None,
    invoice_url: str | None = "https://nowpayments.io/payment/?iid=5550001111",
    payment_id: str | None = None,
    pay_currency: str | None = None,
    asked: CoinAmount | None = None,
    paid: CoinAmount | None = None,
    reason: str | None = None,
    refundable: Refundable | None = None,
    **given: Unpack[OrderEnvelope],
) -> PaymentUpdated:
    """A payment that waits for the buyer."""
    return PaymentUpdated(
        state=state,
        price=price or a_price(),
        invoice_url=invoice_url,
        payment_id=payment_id,
        pay_currency=pay_currency,
        asked=asked,
        paid=paid,
        reason=reason,
        refundable=refundable,
        **order_envelope(given),
    )


def a_payment_confirmed(
    *,
    payment_id: str = "4522625843",
    price: Money | None = None,
    paid: CoinAmount | None = None,
    **given: Unpack[OrderEnvelope],
) -> PaymentConfirmed:
    """25 US dollars came in as bitcoin."""
    return PaymentConfirmed(
        payment_id=payment_id,
        price=price or a_price(),
        paid=paid or a_coin_amount(),
        **order_envelope(given),
    )
