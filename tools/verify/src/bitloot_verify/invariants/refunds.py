"""12, the part of what is owed back: every line and payment of it has exactly one refund."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

_OWED: Final = frozenset({"refund_due", "refunded"})


def what_is_owed_has_one_refund(reading: Reading) -> Iterator[Finding]:
    """A line or payment that is owed back has one refund, which says the same of it."""
    yield from _lines(reading)
    yield from _payments(reading)
    yield from _surpluses(reading)
    yield from _acceptances(reading)
    yield from _key_and_money(reading)


def _lines(reading: Reading) -> Iterator[Finding]:
    refunds = {r.item_id: r for r in reading.all(rows.Refund) if r.item_id is not None}
    numbers = Counter(r.item_id for r in reading.all(rows.Refund) if r.item_id is not None)
    for item in reading.all(rows.Item):
        expected = 1 if item.status in _OWED else 0
        if numbers[item.id] != expected:
            yield Finding(f"line {item.id}", f"{item.status}, with {numbers[item.id]} refunds")
        elif expected and (refunds[item.id].state == "sent") != (item.status == "refunded"):
            says = f"{item.status}, but its refund is {refunds[item.id].state}"
            yield Finding(f"line {item.id}", says)


def _payments(reading: Reading) -> Iterator[Finding]:
    orders = reading.by_id(rows.Order)
    numbers = Counter(r.payment_id for r in reading.all(rows.Refund) if r.payment_id is not None)
    owed = {r.payment_id: r for r in reading.all(rows.Refund) if r.payment_id is not None}
    for refundable in reading.all(rows.Refundable):
        order = orders.get(refundable.order_id)
        if order is None:
            continue
        subject, refund = f"payment {refundable.payment_id}", owed.get(refundable.payment_id)
        if refund is None or numbers[refundable.payment_id] != 1:
            yield Finding(subject, f"owed back, with {numbers[refundable.payment_id]} refunds")
        elif refund.amount < refundable.amount and not order.attention:
            yield Finding(subject, f"{refundable.amount:f} owed, its refund is less")


def _surpluses(reading: Reading) -> Iterator[Finding]:
    """What arrived beyond the asked amount on the payment that pays an order: owed, or noted."""
    paying = _paying(reading)
    owed = {row.payment_id for row in reading.all(rows.Refundable)}
    noted = {row.payment_id: row.amount for row in reading.all(rows.NotedSurplus)}
    for payment in reading.all(rows.Payment):
        subject, too_much = f"payment {payment.payment_id}", _too_much(payment)
        if payment.payment_id in owed & noted.keys():
            yield Finding(subject, "its surplus is owed back, and noted as too little")
        elif payment.payment_id not in paying or payment.payment_id in owed:
            continue
        elif too_much > noted.get(payment.payment_id, Decimal(0)):
            yield Finding(subject, "overpaid, but neither owed back nor noted")


def _paying(reading: Reading) -> frozenset[str]:
    """The payments that pay an order: confirmed by the gateway, or accepted by an admin."""
    confirmed = (row.payment_id for row in reading.all(rows.Confirmation))
    return frozenset(confirmed) | {row.payment_id for row in reading.all(rows.Acceptance)}


def _too_much(payment: rows.Payment) -> Decimal:
    asked = payment.pay_amount or Decimal(0)
    return max(Decimal(0), payment.actually_paid - asked) if asked > 0 else Decimal(0)


def _acceptances(reading: Reading) -> Iterator[Finding]:
    """What an admin accepted has settled the order in payments, too."""
    settled = {row.order_id for row in reading.all(rows.Acceptance)}
    settled |= {row.order_id for row in reading.all(rows.Confirmation)}
    for order_id in reading.accepted_orders() & reading.by_id(rows.Order).keys():
        if order_id not in settled:
            yield Finding(f"order {order_id}", "its part payment was accepted, payments knows none")


def _key_and_money(reading: Reading) -> Iterator[Finding]:
    """Of the payment that pays an order nothing is owed back but what it has too much."""
    paying, orders = _paying(reading), reading.by_id(rows.Order)
    owed = {row.payment_id: row.amount for row in reading.all(rows.Refundable)}
    for payment in reading.all(rows.Payment):
        if payment.payment_id not in paying or not payment.pay_amount:
            continue
        order = orders.get(payment.order_id)
        is_flagged = order is not None and bool(order.attention)
        if owed.get(payment.payment_id, Decimal(0)) > _too_much(payment) and not is_flagged:
            yield Finding(f"payment {payment.payment_id}", "it pays its order, and is owed back")
