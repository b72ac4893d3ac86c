"""A payment as the gateway tells it, read with all the ways it spells the same thing.

Ids come as numbers or texts, amounts too, "null" stands for null (external facts: the
gateway's API differs between endpoints). Used for notifications and for answers alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final
from uuid import UUID

from payments.domain.js_json import MAX_NUMBER_CHARACTERS, JsNumber, JsonValue
from payments.errors import UnreadablePayment

_ID: Final = re.compile(r"[0-9]{1,32}")
_TICKER: Final = re.compile(r"[a-z0-9]{2,20}")
_MAX_WORD: Final = 40
_MOST_DIGITS: Final = 40
"""Coins have up to 18 decimals; nothing real needs more digits."""


class PaymentStatus(StrEnum):
    """The gateway's own words."""

    WAITING = "waiting"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    SENDING = "sending"
    PARTIALLY_PAID = "partially_paid"
    FINISHED = "finished"
    FAILED = "failed"
    REFUNDED = "refunded"
    EXPIRED = "expired"


_BY_WORD: Final = {status.value: status for status in PaymentStatus} | {
    "cancelled": PaymentStatus.FAILED,  # both spellings are terminal in the gateway's own SDK
    "canceled": PaymentStatus.FAILED,
}
_S: Final = PaymentStatus
RANKS: Final = {
    status: rank
    for rank, status in enumerate(
        (
            _S.WAITING,
            _S.EXPIRED,
            _S.CONFIRMING,
            _S.CONFIRMED,
            _S.SENDING,
            _S.FAILED,
            _S.PARTIALLY_PAID,
            _S.FINISHED,
            _S.REFUNDED,
        )
    )
}
"""A payment only rises. Money can still come after `expired` and `failed`, never the reverse."""

IN_FLIGHT: Final = frozenset({_S.CONFIRMING, _S.CONFIRMED, _S.SENDING})
"""Seen on the chain, not with us yet."""

ARRIVED: Final = frozenset({_S.PARTIALLY_PAID, _S.FINISHED})
"""Money lies in the wallet."""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """What the gateway says about one payment; None where it says nothing readable.

    `status` is None for a word nobody has heard of; `word` is that word.
    """

    payment_id: str
    word: str
    status: PaymentStatus | None
    order_id: UUID | None
    invoice_id: str | None
    parent_payment_id: str | None
    purchase_id: str | None
    price_amount: Decimal | None
    price_currency: str | None
    pay_amount: Decimal | None
    pay_currency: str | None
    actually_paid: Decimal
    outcome_amount: Decimal | None
    outcome_currency: str | None

    @property
    def is_in_flight(self) -> bool:
        """Whether money is on its way."""
        return self.status in IN_FLIGHT

    @property
    def has_money(self) -> bool:
        """Whether money has arrived, wanted or not, kept or given back."""
        return self.status in ARRIVED | {PaymentStatus.REFUNDED}


def read_facts(document: JsonValue) -> PaymentFacts:
    """Read a notification or an answer; unknown fields are passed over.

    Raises:
        UnreadablePayment: no object, or no usable payment id or status in it.
    """
    if not isinstance(document, dict):
        raise UnreadablePayment("object")
    word = document.get("payment_status")
    if not isinstance(word, str) or not word.isprintable() or not 0 < len(word) <= _MAX_WORD:
        raise UnreadablePayment("payment_status")
    payment_id = _id(document, "payment_id")
    if payment_id is None:
        raise UnreadablePayment("payment_id")
    return PaymentFacts(
        payment_id=payment_id,
        word=word,
        status=_BY_WORD.get(word.strip().lower()),
        order_id=_order_id(document.get("order_id")),
        invoice_id=_id(document, "invoice_id"),
        parent_payment_id=_id(document, "parent_payment_id"),
        purchase_id=_id(document, "purchase_id"),
        price_amount=_amount(document, "price_amount"),
        price_currency=_ticker(document, "price_currency"),
        pay_amount=_amount(document, "pay_amount"),
        pay_currency=_ticker(document, "pay_currency"),
        actually_paid=_amount(document, "actually_paid") or Decimal(0),
        outcome_amount=_amount(document, "outcome_amount"),
        outcome_currency=_ticker(document, "outcome_currency"),
    )


def _id(document: Mapping[str, JsonValue], name: str) -> str | None:
    """Digits; a number like `5745459419.0` is the same id and carries the same signature."""
    value = document.get(name)
    text = _plain_number(value) if isinstance(value, JsNumber) else value
    text = text.strip() if isinstance(text, str) else ""
    return text if _ID.fullmatch(text) else None


def _plain_number(token: JsNumber) -> str | None:
    number = _decimal(token)
    if number is None or number != number.to_integral_value():
        return None
    return f"{number.to_integral_value():f}"


def _amount(document: Mapping[str, JsonValue], name: str) -> Decimal | None:
    value = document.get(name)
    return _decimal(value) if isinstance(value, str) else None


def _decimal(text: str) -> Decimal | None:
    if len(text) > MAX_NUMBER_CHARACTERS:
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return None
    return number


def _ticker(document: Mapping[str, JsonValue], name: str) -> str | None:
    value = document.get(name)
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _TICKER.fullmatch(text) else None


def _order_id(value: JsonValue) -> UUID | None:
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip())
    except ValueError:
        return None
