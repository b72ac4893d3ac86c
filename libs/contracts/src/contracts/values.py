"""Values that several messages share: money, sources, sealed secrets."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.message import Part

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217, upper case."""

Ticker = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,20}$")]
"""A coin as the payment gateway spells it, lower case."""


class Money(Part):
    """An exact amount; the amount travels as a decimal string."""

    amount: Decimal
    currency: Currency


class CoinAmount(Part):
    """An amount of a cryptocurrency, as the gateway counted it."""

    amount: Decimal
    currency: Ticker


class SourceType(StrEnum):
    """Where the keys of a line come from."""

    CUSTOM = "custom"
    KINGUIN = "kinguin"


class Sealed(Part):
    """A secret encrypted with HPKE for one recipient (RFC 9180, base mode).

    `info` are the words the ciphertext is bound to, in order: opening needs the same.
    """

    recipient_key_id: str
    info: tuple[str, ...]
    ciphertext: str = Field(description="base64url: encapsulated key and ciphertext")


class SealedKey(Part):
    """One game key, sealed for delivery the moment it was uploaded or bought."""

    key_id: UUID = Field(description="stock key or purchased key")
    fingerprint: str = Field(description="HMAC-SHA256 of the key with the pepper, hex")
    media_type: str = Field(description="text/plain, image/png, image/jpeg or image/gif")
    sealed: Sealed
