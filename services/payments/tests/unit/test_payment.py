"""A payment is read in every way the gateway spells it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from foundation.clock import new_id
from payments.domain.js_json import parse_json
from payments.domain.payment import PaymentFacts, PaymentStatus, read_facts
from payments.errors import UnreadablePayment
from payments.testing import some_facts

ORDER_ID = new_id()


def read(text: str) -> PaymentFacts:
    return read_facts(parse_json(text.encode()))


@pytest.mark.parametrize("written", ["5745459419", '"5745459419"', "5745459419.0", "5.745459419e9"])
def test_payment_id_is_the_same_digits_however_it_is_written(written: str) -> None:
    facts = read(f'{{"payment_id": {written}, "payment_status": "waiting"}}')

    assert facts.payment_id == "5745459419"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("19.36121163", "19.36121163"),
        ('"19.36121163"', "19.36121163"),
        ("1e-8", "0.00000001"),
        ("0.000000000000000001", "0.000000000000000001"),
    ],
)
def test_amount_is_exact_as_number_and_as_text(written: str, amount: str) -> None:
    facts = read(f'{{"payment_id": 1, "payment_status": "waiting", "pay_amount": {written}}}')

    assert facts.pay_amount == Decimal(amount)


@pytest.mark.parametrize("written", ['"null"', "null", '"x"', "[]", "1e99999999", '""', '"NaN"'])
def test_unusable_amount_counts_as_none(written: str) -> None:
    facts = read(f'{{"payment_id": 1, "payment_status": "waiting", "pay_amount": {written}}}')

    assert facts.pay_amount is None
    assert facts.actually_paid == 0


def test_currency_is_compared_in_lower_case() -> None:
    facts = some_facts(ORDER_ID, price_currency="USD", pay_currency="XRP")

    assert (facts.price_currency, facts.pay_currency) == ("usd", "xrp")


def test_order_id_that_is_none_of_ours_is_no_order() -> None:
    assert some_facts(ORDER_ID, order_id="ord-1").order_id is None
    assert some_facts(ORDER_ID).order_id == ORDER_ID


def test_word_nobody_knows_is_kept_without_a_status() -> None:
    facts = some_facts(ORDER_ID, payment_status="on_hold")

    assert (facts.word, facts.status) == ("on_hold", None)


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_cancelled_payment_has_failed(word: str) -> None:
    assert some_facts(ORDER_ID, payment_status=word).status is PaymentStatus.FAILED


@pytest.mark.parametrize(
    "document",
    [
        [],
        "text",
        {},
        {"payment_id": 1},
        {"payment_id": 1, "payment_status": None},
        {"payment_id": 1, "payment_status": ""},
        {"payment_id": 1, "payment_status": "wait\u0000ing"},
        {"payment_id": 1.5, "payment_status": "waiting"},
        {"payment_id": "../auth", "payment_status": "waiting"},
        {"payment_id": None, "payment_status": "waiting"},
    ],
)
def test_what_lacks_an_id_or_a_status_is_unreadable(document: Any) -> None:
    with pytest.raises(UnreadablePayment):
        read(json.dumps(document))
