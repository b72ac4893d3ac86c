"""Kinguin's error answers as errors of ours; read leniently, since no two are alike.

Only a kind that surely means "nothing was bought" is definite. Everything else, known or
not, is `Unclear`: after an order that means to search, after a read to try again.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from fulfillment_kinguin.errors import (
    DuplicateExternalId,
    InsufficientBalance,
    NotFound,
    ProductUnavailable,
    Refused,
    ReturnRefused,
    SupplierError,
    Unauthorized,
    Unclear,
)

_MAX_DETAIL: Final = 200
_DEFINITE: Final[Mapping[str, Callable[[str], SupplierError]]] = {
    "ConstraintViolation": Refused,
    "Preorder": Refused,
    "ProductUnavailable": ProductUnavailable,
    "InsufficientBalance": InsufficientBalance,
    "Authorization": Unauthorized,
    "OrderNotFound": NotFound,
    "OrderNotSupported": NotFound,
    "NoKeysToReturn": ReturnRefused,
}
_CLIENT_ERRORS: Final = range(400, 500)
_EXTERNAL_ID_NAMES: Final = ("orderexternalid", "externalid")


def read_error(status: int, body: object, retry_after: str | None, now: datetime) -> SupplierError:
    """What an answer that is no success means; `body` is its JSON, or None if it has none."""
    envelope = body if isinstance(body, Mapping) else {}
    kind = str(envelope.get("kind") or "")
    text = _describe(status, kind, envelope)
    if kind == "ConstraintViolation" and _is_duplicate(envelope):
        return DuplicateExternalId(text)
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(text)
    if status in _CLIENT_ERRORS and kind in _DEFINITE:
        return _DEFINITE[kind](text)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(text)
    return Unclear(text, retry_after_s=read_retry_after(retry_after, now))


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, given as a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    with suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - now).total_seconds())
    return None


def _is_duplicate(envelope: Mapping[str, Any]) -> bool:
    """An external id that was used: by the property it names, else by the text.

    Any other broken rule has the same kind, so the kind alone says nothing.
    """
    path = str(envelope.get("propertyPath") or "").lower()
    detail = str(envelope.get("detail") or "").lower()
    names_it = any(name in path or name in detail for name in _EXTERNAL_ID_NAMES)
    return names_it and ("already" in detail or "used" in detail or "unique" in detail)


def _describe(status: int, kind: str, envelope: Mapping[str, Any]) -> str:
    detail = " ".join(str(envelope.get("detail") or "").split())[:_MAX_DETAIL]
    return ", ".join(part for part in (f"HTTP {status}", kind, detail) if part)
