"""May this payment release the keys of that order? Judged on the gateway's own answer.

Rules: design, section 5; the guards of the gateway's documentation. The invoice's own id is
not among them: a lost answer leaves two invoices of one order at the gateway, and money on
either is this order's money.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts, PaymentStatus


class Verdict(StrEnum):
    """What a payment is worth to its order."""

    CONFIRMED = "confirmed"
    NOT_FINISHED = "not_finished"
    UNDERPAID = "underpaid"
    SURPLUS = "surplus"
    MISMATCHED = "mismatched"


FINAL = frozenset({Verdict.CONFIRMED, Verdict.SURPLUS, Verdict.MISMATCHED})
"""Nothing the gateway says later changes these."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and why."""

    verdict: Verdict
    reason: str | None = None


def judge(order: Invoice, payment: PaymentFacts, *, tolerance_percent: Decimal) -> Judgement:
    """Decide whether the money of an order is in.

    `payment` must be the gateway's answer to a question of ours, never a notification.
    `tolerance_percent` is how much less than asked still counts as paid.
    """
    if payment.status is not PaymentStatus.FINISHED:
        return Judgement(Verdict.NOT_FINISHED, f"the gateway says {payment.word}")
    if payment.parent_payment_id is not None:
        return Judgement(
            Verdict.SURPLUS, f"a further deposit to payment {payment.parent_payment_id}"
        )
    if order.settled_by not in {None, payment.payment_id}:
        return Judgement(Verdict.SURPLUS, f"payment {order.settled_by} has paid the order")
    if mismatch := _mismatch(order, payment):
        return Judgement(Verdict.MISMATCHED, mismatch)
    if shortfall := _shortfall(payment, tolerance_percent):
        return Judgement(Verdict.UNDERPAID, shortfall)
    return Judgement(Verdict.CONFIRMED)


def _mismatch(order: Invoice, payment: PaymentFacts) -> str | None:
    price = order.price
    if payment.order_id != order.order_id:
        return "the payment names another order"
    if payment.price_amount != price.amount:
        return f"priced {payment.price_amount}, ordered for {price.amount}"
    if payment.price_currency != price.currency.lower():
        return f"priced in {payment.price_currency}, ordered in {price.currency.lower()}"
    if payment.pay_currency is None:
        return "the gateway does not say in which coin was paid"
    if payment.pay_amount is None or payment.pay_amount <= 0:
        return "the gateway does not say how much it asked for"
    return None


def _shortfall(payment: PaymentFacts, tolerance_percent: Decimal) -> str | None:
    asked = payment.pay_amount or Decimal(0)
    least = asked * (1 - tolerance_percent / 100)
    if payment.actually_paid >= least:
        return None
    return (
        f"the gateway calls it finished, but {payment.actually_paid:f} of {asked:f} "
        f"{payment.pay_currency} arrived, and {tolerance_percent:f} % less is tolerated"
    )
