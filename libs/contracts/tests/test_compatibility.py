import copy
from collections.abc import Callable
from typing import Any

import pytest
from contracts import MESSAGES, KeyReady, OrderPlaced, PaymentUpdated
from contracts.compatibility import incompatibilities
from contracts.message import Message
from pydantic import create_model

Schema = dict[str, Any]


def schema_of(message_class: type[Message]) -> Schema:
    return message_class.model_json_schema(mode="serialization")


def mutated(message_class: type[Message], change: Callable[[Schema], object]) -> list[str]:
    old = schema_of(message_class)
    new = copy.deepcopy(old)
    change(new)
    return incompatibilities(old, new)


@pytest.mark.parametrize("message_class", MESSAGES)
def test_a_schema_is_compatible_with_itself(message_class: type[Message]) -> None:
    schema = schema_of(message_class)

    assert incompatibilities(schema, copy.deepcopy(schema)) == []


@pytest.mark.parametrize("message_class", MESSAGES)
def test_an_optional_field_may_be_added_to_any_message(message_class: type[Message]) -> None:
    extended = create_model("Extended", __base__=message_class, note=(str | None, None))

    assert incompatibilities(schema_of(message_class), schema_of(extended)) == []


@pytest.mark.parametrize("message_class", MESSAGES)
def test_a_required_field_may_not_be_added_to_any_message(message_class: type[Message]) -> None:
    extended = create_model("Extended", __base__=message_class, note=(str, ...))

    found = incompatibilities(schema_of(message_class), schema_of(extended))

    assert found == ["message.note: required field added"]


@pytest.mark.parametrize(
    "name",
    [pytest.param((m, f), id=f"{m.__name__}.{f}") for m in MESSAGES for f in m.model_fields],
)
def test_no_field_of_any_message_may_vanish(name: tuple[type[Message], str]) -> None:
    message_class, field = name

    found = mutated(message_class, lambda new: new["properties"].pop(field))

    assert found == [f"message.{field}: vanished"]


def test_a_changed_type_of_a_field_is_refused() -> None:
    found = mutated(KeyReady, lambda new: new["properties"]["title"].update(type="integer"))

    assert found == ["message.title: type changed from 'string' to 'integer'"]


def test_a_changed_const_of_the_type_is_refused() -> None:
    found = mutated(KeyReady, lambda new: new["properties"]["type"].update(const="key.ready.v2"))

    assert found == ["message.type: const changed from 'key.ready.v1' to 'key.ready.v2'"]


def test_an_added_enum_value_is_refused() -> None:
    found = mutated(PaymentUpdated, lambda new: new["$defs"]["PaymentState"]["enum"].append("lost"))

    assert found == ["message.state: enum values added: lost"]


def test_a_removed_enum_value_is_refused() -> None:
    found = mutated(
        PaymentUpdated, lambda new: new["$defs"]["PaymentState"]["enum"].remove("waiting")
    )

    assert found == ["message.state: enum values removed: waiting"]


def test_a_required_field_added_to_a_nested_part_is_refused() -> None:
    found = mutated(
        OrderPlaced, lambda new: new["$defs"]["PlacedLine"]["properties"].update(x={"type": "null"})
    )

    assert found == ["message.lines[].x: required field added"]


def test_a_change_two_references_deep_is_found_at_every_place_of_use() -> None:
    found = mutated(KeyReady, lambda new: new["$defs"]["Sealed"]["properties"].pop("info"))

    assert found == ["message.buyer.info: vanished", "message.keys[].sealed.info: vanished"]


def test_a_change_inside_an_optional_part_is_found() -> None:
    found = mutated(PaymentUpdated, lambda new: new["$defs"]["CoinAmount"]["properties"].clear())

    assert found == [
        f"message.{field}.{name}: vanished"
        for field in ("asked", "paid")
        for name in ("amount", "currency")
    ]


def test_a_renamed_definition_with_the_same_content_passes() -> None:
    def rename(new: Schema) -> None:
        new["$defs"]["Price"] = new["$defs"].pop("Money")
        new["properties"]["total"]["$ref"] = "#/$defs/Price"

    assert mutated(OrderPlaced, rename) == []


def test_another_description_and_title_pass() -> None:
    def reword(new: Schema) -> None:
        new["description"] = "said better"
        new["properties"]["expires_at"].update(title="End", description="said better")

    assert mutated(OrderPlaced, reword) == []


def test_a_field_that_becomes_nullable_is_refused() -> None:
    def widen(new: Schema) -> None:
        new["properties"]["title"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}

    assert mutated(KeyReady, widen) == [
        "message.title: type changed from 'string' to nothing",
        "message.title: type changed: 0 alternatives became 2",
    ]


def test_an_optional_field_that_loses_its_default_is_refused() -> None:
    found = mutated(PaymentUpdated, lambda new: new["properties"]["reason"].pop("default"))

    assert found == ["message.reason: default changed from None to nothing"]


def test_a_tightened_bound_is_refused() -> None:
    found = mutated(KeyReady, lambda new: new["properties"]["lines_in_order"].update(minimum=2))

    assert found == ["message.lines_in_order: minimum changed from 1 to 2"]


def test_a_list_that_becomes_untyped_is_refused() -> None:
    found = mutated(KeyReady, lambda new: new["properties"]["keys"].pop("items"))

    assert found == ["message.keys: items changed"]
