"""4, 6 and 12: nothing without money, no notice without effect, money that adds up."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from bitloot_verify import rows
from bitloot_verify.invariants.bad_keys import bad_keys_are_made_good_once
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.invariants.refunds import what_is_owed_has_one_refund
from bitloot_verify.reading import Reading

_UNKNOWN_ORDER_WAITS: Final = timedelta(hours=25)
"""Notices of orders nobody knows yet wait 24 h (design, section 3), and an hour of grace."""
_ARRIVED: Final = frozenset({"partially_paid", "finished"})


def nothing_without_money(reading: Reading) -> Iterator[Finding]:
    """4. Nothing is assigned, bought or stored for an order without final money."""
    with_money = reading.orders_with_money()
    for subject, order_id in _spendings(reading):
        if order_id not in with_money:
            yield Finding(subject, f"order {order_id} has no confirmed money")
    yield from _confirmed_without_the_gateway(reading)


def _spendings(reading: Reading) -> Iterator[tuple[str, UUID]]:
    for line in reading.all(rows.CustomLine):
        if line.state == "assigned":
            yield f"line {line.id}", line.order_id
    kinguin_lines = reading.by_id(rows.KinguinLine)
    for purchase in reading.all(rows.Purchase):
        line_bought = kinguin_lines.get(purchase.line_id)
        if purchase.posts and line_bought is not None:
            yield f"purchase {purchase.id}", line_bought.order_id
    for delivery in reading.all(rows.Delivery):
        yield f"delivery {delivery.id}", delivery.order_id


def _confirmed_without_the_gateway(reading: Reading) -> Iterator[Finding]:
    """Judged by the gateway's own ledger: a finished payment, of this order."""
    if reading.ledgers is None:
        return
    finished = {
        (str(payment["payment_id"]), str(payment["order_id"]))
        for payment in reading.ledgers.gateway_payments
        if payment["payment_status"] in {"finished", "refunded"}
    }
    for confirmation in reading.all(rows.Confirmation):
        if (confirmation.payment_id, str(confirmation.order_id)) not in finished:
            says = f"the gateway has no finished payment {confirmation.payment_id} of it"
            yield Finding(f"order {confirmation.order_id}", says)


def every_ipn_has_an_effect(reading: Reading) -> Iterator[Finding]:
    """6. Every stored notice has an effect, or a job that will give it one in time."""
    waiting = {job.subject for job in reading.all(rows.Job) if job.kind == "apply_ipn"}
    for ipn in reading.all(rows.Ipn):
        if ipn.effect is not None:
            continue
        if str(ipn.id) not in waiting:
            yield Finding(f"ipn {ipn.id}", "no effect, and no job to give it one")
        elif reading.at - ipn.received_at > _UNKNOWN_ORDER_WAITS:
            yield Finding(f"ipn {ipn.id}", "no effect after a day")


def money_adds_up(reading: Reading) -> Iterator[Finding]:
    """12. What came in is fulfilled, on its way, owed back, refunded or noted for a person."""
    yield from _invoices_ask_what_orders_cost(reading)
    yield from _received_is_what_paid_orders_cost(reading)
    yield from _nobody_has_key_and_money(reading)
    yield from _further_money_is_noted(reading)
    yield from what_is_owed_has_one_refund(reading)
    yield from bad_keys_are_made_good_once(reading)


def _invoices_ask_what_orders_cost(reading: Reading) -> Iterator[Finding]:
    orders = reading.by_id(rows.Order)
    for invoice in reading.all(rows.Invoice):
        order = orders.get(invoice.order_id)
        asked = (invoice.price_amount, invoice.price_currency)
        if order is None:
            yield Finding(
                f"order {invoice.order_id}", "has an invoice, but orders does not know it"
            )
        elif asked != (order.total, order.currency):
            yield Finding(f"order {order.id}", "the invoice asks for another amount")


def _received_is_what_paid_orders_cost(reading: Reading) -> Iterator[Finding]:
    with_money = reading.orders_with_money()
    by_line: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for item in reading.all(rows.Item):
        by_line[item.order_id] += item.unit_price * item.quantity
    for order in reading.all(rows.Order):
        if by_line[order.id] != order.total:
            yield Finding(f"order {order.id}", "its lines do not sum up to its total")
        if order.id in with_money and order.money != "paid":
            yield Finding(f"order {order.id}", "its money is in, but it is not paid")
        if order.id not in with_money and order.money == "paid":
            yield Finding(f"order {order.id}", "it is paid, but no money is confirmed")
    for item in reading.all(rows.Item):
        if item.order_id in with_money and item.status in {"cancelled", "failed"}:
            yield Finding(f"line {item.id}", f"paid and {item.status}, but nothing is owed back")


def _nobody_has_key_and_money(reading: Reading) -> Iterator[Finding]:
    """Cancelled and owed back only where the key was never shown, or did not work."""
    shown = {d.line_id for d in reading.all(rows.Delivery) if d.was_revealed}
    bad = {case.item_id for case in reading.all(rows.BadKeyCase) if case.state == "refunded"}
    for item in reading.all(rows.Item):
        is_owed = item.cancellation is not None and item.status in {"refund_due", "refunded"}
        if is_owed and item.id in shown - bad:
            yield Finding(f"line {item.id}", "cancelled and owed back, but its key was shown")


def _waits_for_a_person(order: rows.Order) -> bool:
    """Whether it may still be accepted, or was flagged; of a cancelled order nothing may."""
    return bool(order.attention) or (order.money == "underpaid" and not order.cancelled)


def _further_money_is_noted(reading: Reading) -> Iterator[Finding]:
    settling: set[str | None] = {
        confirmation.payment_id for confirmation in reading.all(rows.Confirmation)
    }
    busy = {job.subject for job in reading.all(rows.Job) if job.kind == "confirm_payment"}
    noted = {row.payment_id for row in reading.all(rows.Refundable)}
    orders = reading.by_id(rows.Order)
    settling |= {
        order.payment_id
        for order_id in reading.accepted_orders()
        if (order := orders.get(order_id))
    }
    asked_again = {job.subject for job in reading.all(rows.Job) if job.kind == "reconcile"}
    for payment in reading.all(rows.Payment):
        if payment.status not in _ARRIVED or payment.payment_id in settling | busy | noted:
            continue
        # Whoever said so, the gateway denied it; it is asked until a person is told.
        if payment.verdict == "not_finished" and str(payment.order_id) in asked_again:
            continue
        order = orders.get(payment.order_id)
        if order is None or not _waits_for_a_person(order):
            says = f"{payment.status}, but neither confirmed nor noted as owed back"
            yield Finding(f"payment {payment.payment_id}", says)
