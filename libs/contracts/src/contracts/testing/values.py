"""Values inside messages, and what the envelope of every message needs."""

import secrets
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypedDict
from uuid import UUID

from contracts.values import CoinAmount, Money, Sealed, SealedKey

OCCURRED_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Envelope(TypedDict, total=False):
    """What every builder also takes."""

    id: UUID
    occurred_at: datetime


class OrderEnvelope(Envelope, total=False):
    """What every builder of a message about one order also takes."""

    order_id: UUID


def a_uuid() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def envelope(given: Envelope) -> Envelope:
    """What is given, and a fresh id and the fixed time where it is not."""
    return {
        "id": given.get("id") or a_uuid(),
        "occurred_at": given.get("occurred_at", OCCURRED_AT),
    }


def order_envelope(given: OrderEnvelope) -> OrderEnvelope:
    """As `envelope`, with a fresh order id where none is given."""
    return {**envelope(given), "order_id": given.get("order_id") or a_uuid()}


def a_price(amount: str = "25.00", currency: str = "USD") -> Money:
    """Money, by default 25 US dollars."""
    return Money(amount=Decimal(amount), currency=currency)


def a_coin_amount(amount: str = "0.00025", currency: str = "btc") -> CoinAmount:
    """An amount of a coin, by default some bitcoin."""
    return CoinAmount(amount=Decimal(amount), currency=currency)


def a_sealed(
    *,
    recipient_key_id: str = "test-key",
    info: tuple[str, ...] = ("bitloot.test", "1"),
    ciphertext: str = "c2VhbGVkIGZvciBkZWxpdmVyeQ",
) -> Sealed:
    """A sealed secret that nobody can open; real ones come from servicekit."""
    return Sealed(recipient_key_id=recipient_key_id, info=info, ciphertext=ciphertext)


def a_sealed_key(
    *,
    key_id: UUID | None = None,
    fingerprint: str | None = None,
    media_type: str = "text/plain",
    sealed: Sealed | None = None,
) -> SealedKey:
    """A sealed game key, by default unlike any other."""
    return SealedKey(
        key_id=key_id or a_uuid(),
        fingerprint=fingerprint or secrets.token_hex(32),
        media_type=media_type,
        sealed=sealed or a_sealed(),
    )
