import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from contracts import MESSAGES, Message, Money, OrderMessage, PaymentConfirmed, Topic, testing
from contracts.golden import FOLDER, SAMPLES, type_name
from contracts.topics import MAX_MESSAGE_BYTES
from pydantic import ValidationError

BUILDERS: list[Callable[..., Message]] = [
    testing.a_payment_confirmed,
    testing.a_fulfillment_requested_custom,
    testing.a_fulfillment_requested_kinguin,
    testing.a_key_ready,
    testing.an_order_placed,
    testing.an_order_cancelled,
    testing.a_payment_updated,
    testing.a_payment_accepted,
    testing.a_stock_updated,
    testing.a_stock_returned,
    testing.a_fulfillment_updated,
    testing.a_delivery_updated,
    testing.a_rollout_changed,
    testing.a_product_updated,
    testing.an_offer_updated,
    testing.an_email_requested,
]

every_sample = pytest.mark.parametrize("message", SAMPLES, ids=lambda m: m.topic)


def as_json(message: Message, **changes: Any) -> str:
    return json.dumps(message.model_dump(mode="json") | changes)


def test_every_topic_has_exactly_one_message() -> None:
    assert sorted(m.topic for m in MESSAGES) == sorted(Topic)


@pytest.mark.parametrize("message_class", MESSAGES)
def test_the_type_is_named_after_the_topic_and_versioned(message_class: type[Message]) -> None:
    assert type_name(message_class) == f"{message_class.topic}.v1"


def test_every_message_has_a_builder() -> None:
    assert [type(build()) for build in BUILDERS] == list(MESSAGES)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_builder_makes_fresh_ids_and_keeps_given_ones(build: Callable[..., Message]) -> None:
    first, second = build(), build()

    assert first.id != second.id
    assert build(id=first.id).id == first.id


def test_built_ids_are_version_7_and_rise_with_time() -> None:
    ids = [testing.a_uuid() for _ in range(100)]

    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)


@pytest.mark.parametrize(
    "message", [m for m in SAMPLES if isinstance(m, OrderMessage)], ids=lambda m: m.topic
)
def test_the_key_of_an_order_message_is_the_order_id(message: OrderMessage) -> None:
    assert message.key == str(message.order_id)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (testing.a_rollout_changed(), "rollout"),
        (testing.an_offer_updated(kinguin_product_id="abc"), "abc"),
        (testing.an_email_requested(subject_key="sign-in"), "sign-in"),
    ],
)
def test_messages_without_an_order_name_their_key(message: Message, key: str) -> None:
    assert message.key == key


def test_product_is_keyed_by_its_id() -> None:
    product_id = testing.a_uuid()

    assert testing.a_product_updated(product_id=product_id).key == str(product_id)


def test_stock_is_keyed_by_product_and_a_reservation_by_order() -> None:
    level, reservation = testing.a_stock_level(), testing.a_reservation()

    assert testing.a_stock_updated(level=level).key == str(level.product_id)
    assert testing.a_stock_updated(reservation=reservation).key == str(reservation.order_id)


@every_sample
def test_unknown_fields_are_ignored_on_reading(message: Message) -> None:
    text = as_json(message, invented_later={"deep": [1]})

    assert type(message).model_validate_json(text) == message


def test_unknown_fields_of_a_nested_part_are_ignored_too() -> None:
    message = testing.a_payment_confirmed()
    price = {"amount": "25.00", "currency": "USD", "invented_later": True}

    assert type(message).model_validate_json(as_json(message, price=price)) == message


@every_sample
def test_a_time_without_zone_is_refused(message: Message) -> None:
    with pytest.raises(ValidationError):
        type(message).model_validate_json(as_json(message, occurred_at="2026-11-22T12:00:00"))


@every_sample
def test_another_type_name_is_refused(message: Message) -> None:
    with pytest.raises(ValidationError):
        type(message).model_validate_json(as_json(message, type=f"{message.topic}.v2"))


def test_a_naive_time_is_refused_by_the_constructor() -> None:
    with pytest.raises(ValidationError):
        testing.a_payment_confirmed(occurred_at=datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001


@pytest.mark.parametrize("amount", ["25.00", "0.00000001", "12345678901234567890.123456789012"])
def test_an_amount_travels_as_a_string_with_every_digit(amount: str) -> None:
    sent = Money(amount=Decimal(amount), currency="USD").model_dump_json()
    received = Money.model_validate_json(sent)

    assert isinstance(json.loads(sent)["amount"], str)
    assert received.amount.as_tuple() == Decimal(amount).as_tuple()


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1,00", "", "1 USD", None])
def test_what_is_no_amount_is_refused(amount: str | None) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate_json(json.dumps({"amount": amount, "currency": "USD"}))


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", "US1"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate_json(json.dumps({"amount": "1", "currency": currency}))


def test_a_message_does_not_change() -> None:
    message = testing.a_payment_confirmed()

    with pytest.raises(ValidationError, match="frozen"):
        message.payment_id = "other"  # type: ignore[misc]  # the claim of this test


def test_a_refused_message_is_not_repeated_in_the_error() -> None:
    text = as_json(testing.a_payment_confirmed(), payment_id=["AAAAA-BBBBB-CCCCC"])

    with pytest.raises(ValidationError) as caught:
        PaymentConfirmed.model_validate_json(text)

    assert "AAAAA" not in str(caught.value)


def test_a_line_of_a_thousand_sealed_keys_fits_into_a_message() -> None:
    keys = tuple(testing.a_sealed_key() for _ in range(1000))

    assert len(testing.a_key_ready(keys=keys).model_dump_json()) < MAX_MESSAGE_BYTES


@pytest.mark.parametrize("message_class", MESSAGES)
def test_the_readme_has_a_row_for_every_topic(message_class: type[Message]) -> None:
    rows = [line for line in (FOLDER / "README.md").read_text().splitlines() if line[:1] == "|"]

    assert any(f"| `{message_class.topic}` | `{message_class.__name__}` |" in row for row in rows)
