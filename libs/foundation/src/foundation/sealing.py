"""Seal secrets for one recipient, and the type that carries a game key in memory.

HPKE in base mode (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM. The fulfilment services
hold delivery's public key only; delivery holds the ring of private keys. `info` binds a
ciphertext to its purpose: whoever opens it must name the same words.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self
from uuid import UUID

from contracts import Sealed, SealedKey, SourceType
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import GetCoreSchemaHandler, SecretBytes, SecretStr
from pydantic_core import CoreSchema, core_schema

from foundation.settings import (
    KEY_BYTES,
    SecretRing,
    decode_base64url,
    encode_base64url,
    parse_named_key,
)

_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_GAME_KEY: Final = ("bitloot.game-key", "1")
_ADDRESS: Final = ("bitloot.address", "1")
_FINGERPRINT: Final = b"bitloot.fingerprint.1"


class UnknownRecipientKey(Exception):
    """The ring holds no private key of the id that the sealed secret names."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(f"no private key {key_id} in the ring")


class CannotOpen(Exception):
    """The ciphertext is damaged, or was sealed for another key or purpose."""

    def __init__(self, key_id: str, reason: str) -> None:
        self.key_id = key_id
        super().__init__(f"sealed for key {key_id}: {reason}")


class GameKey:
    """A game key in plain, text or image; nothing shows it but `value` and `text()`.

    Not printable, not picklable, not serialisable; equal when type and bytes are equal.
    """

    __slots__ = ("_media_type", "_value")

    _media_type: str
    _value: bytes

    def __init__(self, media_type: str, value: bytes) -> None:
        if media_type.startswith("text/") and not _is_utf8(value):
            raise ValueError("a text key must be UTF-8")
        object.__setattr__(self, "_media_type", media_type)
        object.__setattr__(self, "_value", value)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """A key of media type text/plain."""
        return cls("text/plain", text.encode())

    @property
    def media_type(self) -> str:
        """text/plain, image/png, image/jpeg or image/gif."""
        return self._media_type

    @property
    def value(self) -> bytes:
        """The plain bytes."""
        return self._value

    def text(self) -> str:
        """The plain text.

        Raises:
            TypeError: the key is an image.
        """
        if not self.media_type.startswith("text/"):
            raise TypeError(f"a key of type {self.media_type} has no text")
        return self.value.decode()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GameKey):
            return NotImplemented
        same_type = self.media_type == other.media_type
        return same_type and hmac.compare_digest(self.value, other.value)

    def __hash__(self) -> int:
        return hash((self.media_type, self.value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a game key does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a game key does not change")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a game key is never pickled or copied: seal it")

    def __repr__(self) -> str:
        return f"GameKey({self.media_type}, **********)"

    def __format__(self, format_spec: str) -> str:
        return repr(self)


def _is_utf8(value: bytes) -> bool:
    return value.decode(errors="ignore").encode() == value


class PublicKey:
    """A recipient's key, `kid:base64url(32 bytes)`; usable as the type of a setting."""

    # No dataclass: pydantic-settings would expect JSON in the variable.
    __slots__ = ("key", "key_id")

    def __init__(self, key_id: str, key: X25519PublicKey) -> None:
        self.key_id = key_id
        self.key = key

    @classmethod
    def parse(cls, text: "str | PublicKey") -> "PublicKey":
        """Read the setting HPKE_PUBLIC_KEY.

        Raises:
            ValueError: it has another form.
        """
        if isinstance(text, PublicKey):
            return text
        key_id, raw = parse_named_key(text)
        return cls(key_id, X25519PublicKey.from_public_bytes(raw))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    def __str__(self) -> str:
        return f"{self.key_id}:{encode_base64url(self.key.public_bytes_raw())}"


class KeyRing(SecretRing):
    """The recipient's private keys (HPKE_PRIVATE_KEYS); one retires when nothing needs it."""

    __slots__ = ()

    @property
    def public_key(self) -> PublicKey:
        """The public half of the current key."""
        return PublicKey(self.current_id, self._private_key(self.current_id).public_key())

    def open(self, sealed: Sealed, *info: str) -> bytes:
        """Decrypt what was sealed for one of these keys and for exactly these words.

        Raises:
            UnknownRecipientKey: the ring does not hold that key.
            CannotOpen: damaged, or bound to something else.
        """
        private_key = self._private_key(sealed.recipient_key_id)
        if sealed.info != info:
            raise CannotOpen(sealed.recipient_key_id, "bound to another purpose")
        try:
            ciphertext = decode_base64url(sealed.ciphertext)
            return _SUITE.decrypt(ciphertext, private_key, _encode_info(info))
        except (InvalidTag, ValueError) as error:
            reason = "damaged, or not sealed for this key and purpose"
            raise CannotOpen(sealed.recipient_key_id, reason) from error

    def _private_key(self, key_id: str) -> X25519PrivateKey:
        raw = self.get(key_id)
        if raw is None:
            raise UnknownRecipientKey(key_id)
        return X25519PrivateKey.from_private_bytes(raw)


def seal(public_key: PublicKey, plaintext: bytes, *info: str) -> Sealed:
    """Encrypt for the holder of the private key, bound to these words in this order."""
    ciphertext = _SUITE.encrypt(plaintext, public_key.key, _encode_info(info))
    return Sealed(
        recipient_key_id=public_key.key_id, info=info, ciphertext=encode_base64url(ciphertext)
    )


def _encode_info(info: tuple[str, ...]) -> bytes:
    # A JSON array: ("a", "bc") and ("ab", "c") must never be the same bytes.
    return json.dumps(info, separators=(",", ":")).encode()


def fingerprint(pepper: SecretBytes, key: GameKey) -> str:
    """HMAC-SHA256 of the key, hex: finds duplicates without keeping plaintext.

    Text keys are compared without surrounding white space.
    """
    is_text = key.media_type.startswith("text/")
    value = key.text().strip().encode() if is_text else key.value
    canonical = b"\0".join((_FINGERPRINT, key.media_type.encode(), value))
    return hmac.new(pepper.get_secret_value(), canonical, hashlib.sha256).hexdigest()


def seal_game_key(public_key: PublicKey, key: GameKey, *, source: str, key_id: UUID) -> Sealed:
    """Seal a key the moment it is uploaded or bought, bound to its stock or purchase id."""
    return seal(public_key, key.value, *_GAME_KEY, key.media_type, source, str(key_id))


def open_game_key(ring: KeyRing, sealed_key: SealedKey) -> GameKey:
    """Open a key sealed by `seal_game_key`.

    The source is what the sealer named: own stock may hold keys that were once bought.

    Raises:
        UnknownRecipientKey: the ring does not hold that key.
        CannotOpen: damaged, or sealed under another id, source or media type.
    """
    source = next((s.value for s in SourceType if s.value in sealed_key.sealed.info), "")
    info = (*_GAME_KEY, sealed_key.media_type, source, str(sealed_key.key_id))
    return GameKey(sealed_key.media_type, ring.open(sealed_key.sealed, *info))


def seal_address(public_key: PublicKey, email: str, order_id: UUID) -> Sealed:
    """Seal a buyer's address, bound to the order."""
    return seal(public_key, email.encode(), *_ADDRESS, str(order_id))


def open_address(ring: KeyRing, sealed: Sealed, order_id: UUID) -> str:
    """Open an address sealed by `seal_address` for the same order.

    Raises:
        UnknownRecipientKey: the ring does not hold that key.
        CannotOpen: damaged, or sealed for another order.
    """
    return ring.open(sealed, *_ADDRESS, str(order_id)).decode()


@dataclass(frozen=True)
class KeyPair:
    """The two settings of a new recipient: HPKE_PRIVATE_KEYS and HPKE_PUBLIC_KEY."""

    private: SecretStr
    public: str


def new_key_pair() -> KeyPair:
    """A fresh X25519 pair in the format of the settings."""
    private_key = X25519PrivateKey.generate()
    key_id = secrets.token_hex(4)
    private = f"{key_id}:{encode_base64url(private_key.private_bytes_raw())}"
    return KeyPair(SecretStr(private), str(PublicKey(key_id, private_key.public_key())))


def new_secret() -> SecretStr:
    """32 fresh random bytes, base64url: FINGERPRINT_PEPPER, LINK_SECRET."""
    return SecretStr(encode_base64url(secrets.token_bytes(KEY_BYTES)))


def new_ring() -> SecretStr:
    """A ring of one fresh key, `kid:base64url`: KEKS, TOKEN_SIGNING_KEYS."""
    return SecretStr(f"{secrets.token_hex(4)}:{new_secret().get_secret_value()}")
