"""News about payments: ranks rise, further money is set aside, nothing here pays an order."""

from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import pytest
from contracts import PaymentState
from foundation.clock import new_id
from payments.domain.invoice import STEPS, InvoiceState
from payments.domain.payment import RANKS, PaymentStatus
from payments.domain.progress import Effect, KnownPayment, decide
from payments.domain.verdict import Verdict
from payments.testing import an_invoice, some_facts

ORDER_ID = new_id()
OURS = an_invoice(order_id=ORDER_ID)
PAID = an_invoice(order_id=ORDER_ID, settled_by="1")


def known(status: str, payment_id: str = "5745459419", **changes: Any) -> KnownPayment:
    values: dict[str, Any] = {
        "actually_paid": Decimal(0),
        "pay_amount": Decimal("19.36121163"),
        "pay_currency": "xrp",
        "parent_payment_id": None,
        "verdict": None,
        "is_refundable": False,
    }
    return KnownPayment(payment_id=payment_id, status=PaymentStatus(status), **(values | changes))


def test_every_status_has_a_rank_and_the_usual_way_rises() -> None:
    assert set(RANKS) == set(PaymentStatus)
    way = ["waiting", "confirming", "confirmed", "sending", "partially_paid", "finished"]
    assert all(RANKS[PaymentStatus(a)] < RANKS[PaymentStatus(b)] for a, b in pairwise(way))


@pytest.mark.parametrize(("before", "after"), list(product(PaymentStatus, PaymentStatus)))
def test_lower_news_never_have_an_effect(before: PaymentStatus, after: PaymentStatus) -> None:
    facts = some_facts(ORDER_ID, payment_status=after.value, actually_paid=0)

    decision = decide(OURS, [known(before, verdict=Verdict.UNDERPAID)], facts)

    assert decision.changes_payment == (RANKS[after] > RANKS[before])


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s is not PaymentStatus.FINISHED])
def test_first_news_are_reported_in_the_gateways_word(status: PaymentStatus) -> None:
    decision = decide(OURS, [], some_facts(ORDER_ID, payment_status=status.value))

    assert (decision.effect, decision.report) == (Effect.REPORTED, PaymentState(status.value))


def test_finished_only_leads_to_asking() -> None:
    decision = decide(OURS, [known("sending")], some_facts(ORDER_ID))

    assert (decision.effect, decision.report) == (Effect.CONFIRMING, None)


def test_finished_that_was_denied_is_asked_about_again() -> None:
    before = known("finished", actually_paid=Decimal(99), verdict=Verdict.NOT_FINISHED)

    assert decide(OURS, [before], some_facts(ORDER_ID)).effect is Effect.CONFIRMING


def test_more_money_on_a_partial_payment_is_news() -> None:
    before = known("partially_paid", actually_paid=Decimal(5))
    facts = some_facts(ORDER_ID, payment_status="partially_paid", actually_paid=6)

    assert decide(OURS, [before], facts).report is PaymentState.PARTIALLY_PAID


@pytest.mark.parametrize("status", ["partially_paid", "finished"])
@pytest.mark.parametrize(
    ("order", "payments", "changes"),
    [
        (OURS, [], {"parent_payment_id": 1}),
        (PAID, [known("finished", "1")], {}),
        (OURS, [known("confirming", pay_currency="btc")], {}),
    ],
    ids=["child deposit", "order is paid", "another coin"],
)
def test_money_that_cannot_pay_the_order_is_surplus(
    order: Any, payments: Any, changes: Any, status: str
) -> None:
    decision = decide(order, payments, some_facts(ORDER_ID, payment_status=status, **changes))

    assert (decision.effect, decision.report) == (Effect.SURPLUS, PaymentState.MORE_MONEY)


@pytest.mark.parametrize("status", ["waiting", "confirming", "sending", "failed", "expired"])
def test_surplus_without_money_yet_is_only_noted(status: str) -> None:
    facts = some_facts(ORDER_ID, payment_status=status, parent_payment_id=1)

    assert decide(OURS, [], facts).effect is Effect.NOTED


@pytest.mark.parametrize("status", ["waiting", "failed", "expired"])
@pytest.mark.parametrize("other", ["confirming", "sending", "partially_paid", "finished"])
def test_dropped_payment_does_not_hide_the_one_with_money(status: str, other: str) -> None:
    facts = some_facts(ORDER_ID, payment_status=status)

    assert decide(OURS, [known(other, "1")], facts).effect is Effect.NOTED


def test_payment_after_a_refunded_one_is_reported() -> None:
    facts = some_facts(ORDER_ID, payment_status="waiting")

    assert decide(OURS, [known("refunded", "1")], facts).effect is Effect.REPORTED


def test_unknown_word_changes_nothing() -> None:
    decision = decide(OURS, [], some_facts(ORDER_ID, payment_status="on_hold"))

    assert decision.effect is Effect.UNKNOWN_STATUS
    assert not decision.changes_payment


def test_nothing_undoes_a_settled_invoice_and_every_other_can_be_settled() -> None:
    assert not STEPS[InvoiceState.SETTLED]
    assert all(
        InvoiceState.SETTLED in STEPS[state]
        for state in InvoiceState
        if state is not InvoiceState.SETTLED
    )
