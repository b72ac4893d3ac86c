"""Kinguin's error answers: only what is surely "nothing bought" is definite."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fulfillment_kinguin.adapters.kinguin_errors import read_error, read_retry_after
from fulfillment_kinguin.errors import (
    DuplicateExternalId,
    InsufficientBalance,
    NotFound,
    NothingBought,
    ProductUnavailable,
    Refused,
    SupplierError,
    Unauthorized,
    Unclear,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(status: int, **body: Any) -> SupplierError:
    return read_error(status, body, None, NOW)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "ConstraintViolation", Refused),
        (422, "ConstraintViolation", Refused),
        (400, "Preorder", Refused),
        (400, "ProductUnavailable", ProductUnavailable),
        (400, "InsufficientBalance", InsufficientBalance),
        (401, "Authorization", Unauthorized),
        (401, "", Unauthorized),
        (404, "OrderNotFound", NotFound),
        (404, "Http", NotFound),
    ],
)
def test_known_kinds_are_what_they_say(
    status: int, kind: str, expected: type[SupplierError]
) -> None:
    assert type(read(status, kind=kind, detail="because")) is expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "OrderFailed"),
        (400, "Http"),
        (409, "ResourceLock"),
        (429, ""),
        (500, "Error"),
        (500, "HttpClient"),
        (502, "ConstraintViolation"),
        (500, "ProductUnavailable"),
        (400, "SomethingNew"),
        (403, ""),
    ],
)
def test_everything_else_may_have_been_carried_out(status: int, kind: str) -> None:
    error = read(status, kind=kind)

    assert isinstance(error, Unclear)
    assert not isinstance(error, NothingBought)


@pytest.mark.parametrize(
    "body",
    [
        {"propertyPath": "orderExternalId", "detail": "orderExternalId already used"},
        {"detail": 'Invalid "orderExternalId" property. orderExternalId already used'},
        {"propertyPath": "externalId", "detail": "This value is already used."},
    ],
)
def test_used_external_id_is_no_refusal(body: dict[str, Any]) -> None:
    error = read(422, kind="ConstraintViolation", **body)

    assert isinstance(error, DuplicateExternalId)
    assert not isinstance(error, NothingBought)


@pytest.mark.parametrize(
    "body", [{"propertyPath": "products[0].qty", "detail": "At most 9"}, {"detail": "bad price"}]
)
def test_other_broken_rules_are_not_taken_for_a_used_external_id(body: dict[str, Any]) -> None:
    assert type(read(400, kind="ConstraintViolation", **body)) is Refused


@pytest.mark.parametrize("body", [None, [], "text", {"kind": 5, "detail": {"a": 1}}])
def test_answer_without_an_envelope_is_unclear(body: object) -> None:
    assert type(read_error(503, body, None, NOW)) is Unclear


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, NOW) == seconds
    assert read_error(429, None, value, NOW).retry_after_s == seconds
