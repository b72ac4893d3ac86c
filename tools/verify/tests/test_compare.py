"""Each kind of difference is found, and books that agree have none."""

from dataclasses import replace
from decimal import Decimal

import pytest
from bitloot_verify.reconciliation.compare import (
    Kind,
    KnownPurchase,
    OurOrder,
    OurPayment,
    OurPurchase,
    compare_orders,
    compare_payments,
    compare_purchases,
    compare_supplier_orders,
)
from foundation.clock import new_id
from fulfillment_kinguin.domain.supply import OrderStatus, SupplierOrder
from payments.domain.payment import PaymentFacts
from payments.testing import some_facts

ORDER = OurOrder(
    new_id(), Decimal("25.00"), "USD", is_paid=True, is_delivered=True, is_accepted=False
)
FACTS = some_facts(ORDER.id)
OURS = OurPayment(
    FACTS.payment_id,
    ORDER.id,
    "finished",
    FACTS.actually_paid,
    "xrp",
    is_confirmed=True,
    is_noted=False,
)
PURCHASE = OurPurchase("line-1", "K1", "keys_ready", Decimal("9.50"))
BOUGHT = SupplierOrder("K1", "line-1", OrderStatus.COMPLETED, price_charged=Decimal("9.5"))


def kinds_of(
    facts: PaymentFacts, ours: OurPayment | None = OURS, order: OurOrder = ORDER
) -> list[Kind]:
    payments = {ours.payment_id: ours} if ours else {}
    return [d.kind for d in compare_payments([facts], payments, {order.id: order})]


def test_books_that_agree_have_no_difference() -> None:
    assert kinds_of(FACTS) == []
    assert list(compare_orders([OURS], [ORDER])) == []
    assert list(compare_purchases([PURCHASE], {"K1": BOUGHT})) == []


def test_money_the_gateway_has_and_we_do_not_know() -> None:
    [found] = compare_payments([FACTS], {}, {})

    assert found.kind is Kind.UNKNOWN_PAYMENT
    assert (found.amount, found.currency) == (FACTS.actually_paid, "xrp")


def test_a_payment_without_money_that_we_do_not_know_is_no_difference() -> None:
    assert kinds_of(some_facts(ORDER.id, payment_status="waiting"), None) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"payment_status": "sending"}, [Kind.STATUS, Kind.CONFIRMED_UNFINISHED]),
        ({"payment_status": "refunded"}, [Kind.STATUS, Kind.REFUNDED_AFTER_DELIVERY]),
        ({"actually_paid": 1}, [Kind.AMOUNT]),
    ],
)
def test_what_differs_at_the_gateway_is_named(
    changes: dict[str, object], expected: list[Kind]
) -> None:
    assert kinds_of(some_facts(ORDER.id, **changes)) == expected


def test_a_payment_that_paid_and_that_the_gateway_does_not_know_is_found() -> None:
    waiting = replace(OURS, payment_id="other", is_confirmed=False)

    [found] = compare_payments([], {OURS.payment_id: OURS, "other": waiting}, {ORDER.id: ORDER})

    assert (found.kind, found.amount) == (Kind.UNKNOWN_TO_GATEWAY, OURS.actually_paid)


def test_money_given_back_before_delivery_is_not_a_delivered_key() -> None:
    refunded = some_facts(ORDER.id, payment_status="refunded")
    waiting = replace(ORDER, is_delivered=False)

    assert Kind.CONFIRMED_UNFINISHED in kinds_of(refunded, OURS, waiting)


def test_an_order_is_paid_in_both_books_or_in_none() -> None:
    unconfirmed = replace(OURS, is_confirmed=False)
    unpaid = replace(ORDER, is_paid=False)

    [first] = compare_orders([unconfirmed], [ORDER])
    [second] = compare_orders([OURS], [unpaid])

    assert first.kind is Kind.PAID_ORDER_WITHOUT_MONEY
    assert second.kind is Kind.MONEY_WITHOUT_PAID_ORDER
    assert first.amount == Decimal("25.00")


def test_an_accepted_part_payment_is_no_difference() -> None:
    unconfirmed = replace(OURS, is_confirmed=False)

    assert list(compare_orders([unconfirmed], [replace(ORDER, is_accepted=True)])) == []


@pytest.mark.parametrize(
    ("purchase", "order", "kind"),
    [
        (PURCHASE, None, Kind.UNKNOWN_PURCHASE),
        (PURCHASE, replace(BOUGHT, status=OrderStatus.CANCELED), Kind.PURCHASE_STATUS),
        (replace(PURCHASE, state="placed"), BOUGHT, Kind.PURCHASE_STATUS),
        (PURCHASE, replace(BOUGHT, price_charged=Decimal(11)), Kind.PURCHASE_PRICE),
    ],
)
def test_what_differs_at_the_supplier_is_named(
    purchase: OurPurchase, order: SupplierOrder | None, kind: Kind
) -> None:
    [found] = compare_purchases([purchase], {"K1": order})

    assert found.kind is kind
    assert found.currency == "EUR"


KNOWN = KnownPurchase(PURCHASE.external_id, "K1", "keys_ready")


@pytest.mark.parametrize(
    ("order", "known", "is_named"),
    [
        (BOUGHT, [KNOWN], False),
        (BOUGHT, [], True),
        (BOUGHT, [replace(KNOWN, reservation_id=None, state="unknown")], False),
        (BOUGHT, [replace(KNOWN, reservation_id=None, state="failed")], True),
        (replace(BOUGHT, external_id=None), [KNOWN], False),
        (replace(BOUGHT, external_id=None), [], True),
        (replace(BOUGHT, status=OrderStatus.CANCELED), [], False),
        (replace(BOUGHT, order_id="K2"), [KNOWN], False),  # bought twice, as is said elsewhere
        (None, [], False),
    ],
)
def test_what_the_supplier_sold_and_we_do_not_know_is_named(
    order: SupplierOrder | None, known: list[KnownPurchase], *, is_named: bool
) -> None:
    found = list(compare_supplier_orders({"K": order}, known))

    assert [d.kind for d in found] == [Kind.UNKNOWN_SUPPLIER_ORDER] * is_named
    assert [d.currency for d in found] == ["EUR"] * is_named


def test_two_standing_orders_of_one_purchase_are_found() -> None:
    twice = {"K1": BOUGHT, "K2": replace(BOUGHT, order_id="K2")}
    cancelled = {"K1": BOUGHT, "K2": replace(BOUGHT, order_id="K2", status=OrderStatus.CANCELED)}

    assert [d.kind for d in compare_purchases([PURCHASE], twice)] == [Kind.BOUGHT_TWICE]
    assert list(compare_purchases([PURCHASE], cancelled)) == []
