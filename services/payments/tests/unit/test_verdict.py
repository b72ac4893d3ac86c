"""Only the right amount, in the right currency, for the right order, pays it."""

from decimal import Decimal
from typing import Any

import pytest
from foundation.clock import new_id
from payments.domain.verdict import Verdict, judge
from payments.testing import an_invoice, some_facts

ORDER_ID = new_id()
OURS = an_invoice(order_id=ORDER_ID)
NONE = Decimal(0)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.CONFIRMED),
        ({"price_currency": "USD"}, Verdict.CONFIRMED),
        ({"price_amount": "25.000"}, Verdict.CONFIRMED),
        ({"actually_paid": 30}, Verdict.CONFIRMED),
        ({"payment_status": "sending"}, Verdict.NOT_FINISHED),
        ({"payment_status": "partially_paid"}, Verdict.NOT_FINISHED),
        ({"payment_status": "on_hold"}, Verdict.NOT_FINISHED),
        ({"parent_payment_id": 5745459000}, Verdict.SURPLUS),
        ({"order_id": str(new_id())}, Verdict.MISMATCHED),
        ({"order_id": None}, Verdict.MISMATCHED),
        ({"price_amount": 1}, Verdict.MISMATCHED),
        ({"price_amount": None}, Verdict.MISMATCHED),
        ({"price_currency": "eur"}, Verdict.MISMATCHED),
        ({"pay_currency": None}, Verdict.MISMATCHED),
        ({"pay_amount": None}, Verdict.MISMATCHED),
        ({"pay_amount": 0}, Verdict.MISMATCHED),
        ({"actually_paid": 19.36121162}, Verdict.UNDERPAID),
        ({"actually_paid": None}, Verdict.UNDERPAID),
    ],
)
def test_payment_is_judged_by_every_guard(changes: dict[str, Any], verdict: Verdict) -> None:
    judgement = judge(OURS, some_facts(ORDER_ID, **changes), tolerance_percent=NONE)

    assert judgement.verdict is verdict
    assert (judgement.reason is None) == (verdict is Verdict.CONFIRMED)


@pytest.mark.parametrize(
    ("paid", "verdict"), [("98", Verdict.CONFIRMED), ("97.99999999", Verdict.UNDERPAID)]
)
def test_tolerance_is_a_share_of_what_was_asked(paid: str, verdict: Verdict) -> None:
    facts = some_facts(ORDER_ID, pay_amount=100, actually_paid=paid)

    assert judge(OURS, facts, tolerance_percent=Decimal(2)).verdict is verdict


def test_shortfall_says_how_much_came_of_how_much() -> None:
    facts = some_facts(ORDER_ID, pay_amount=100, actually_paid="0.00000001")

    reason = judge(OURS, facts, tolerance_percent=NONE).reason

    assert reason is not None
    assert "0.00000001 of 100 xrp" in reason


def test_second_payment_of_a_paid_order_is_surplus() -> None:
    paid = an_invoice(order_id=ORDER_ID, settled_by="1")

    assert judge(paid, some_facts(ORDER_ID), tolerance_percent=NONE).verdict is Verdict.SURPLUS


def test_payment_that_paid_the_order_stays_confirmed() -> None:
    paid = an_invoice(order_id=ORDER_ID, settled_by="5745459419")

    assert judge(paid, some_facts(ORDER_ID), tolerance_percent=NONE).verdict is Verdict.CONFIRMED
