"""Envelope encryption of a line's keys.

A fresh 256-bit data key, AES-256-GCM, bound to order, line and version; the data key is
wrapped under a key-encryption key with the same context. The row keeps the wrapped key,
the nonce and the checksum before the object is written, so a retry writes the same bytes.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from delivery.domain.delivery import Delivery, Envelope
from delivery.errors import CannotDecrypt
from delivery.ports import KeyProvider, WrappedKey

_KEY_BITS: Final = 256
_NONCE_BYTES: Final = 12


def context_of(delivery: Delivery) -> Mapping[str, str]:
    """What a ciphertext is bound to."""
    return context_of_ids(order=delivery.order_id, line=delivery.line_id, delivery=delivery.id)


def context_of_ids(*, order: UUID, line: UUID, delivery: UUID) -> Mapping[str, str]:
    """As `context_of`, for who has only the row."""
    return {
        "purpose": "bitloot.delivery.1",
        "order": str(order),
        "line": str(line),
        "delivery": str(delivery),
    }


class KeyCipher:
    """Encrypts and decrypts documents with a key provider's help."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider

    async def seal(self, delivery: Delivery, document: bytes) -> tuple[Envelope, bytes]:
        """A fresh envelope, and the ciphertext that belongs to it."""
        key = AESGCM.generate_key(_KEY_BITS)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        context = context_of(delivery)
        ciphertext = AESGCM(key).encrypt(nonce, document, _aad(context))
        wrapped = await self._provider.wrap(key, context)
        envelope = Envelope(
            object_key=f"deliveries/{delivery.id}",
            kek_id=wrapped.kek_id,
            wrapped_key=wrapped.blob,
            nonce=nonce,
            checksum=hashlib.sha256(ciphertext).hexdigest(),
        )
        return envelope, ciphertext

    async def seal_again(self, delivery: Delivery, envelope: Envelope, document: bytes) -> bytes:
        """The ciphertext of an envelope that was written down before, byte for byte.

        Raises:
            CannotDecrypt: the data key is out of reach, or the document is another one.
        """
        context = context_of(delivery)
        key = await self._provider.unwrap(
            WrappedKey(envelope.kek_id, envelope.wrapped_key), context
        )
        ciphertext = AESGCM(key).encrypt(envelope.nonce, document, _aad(context))
        # A nonce is never used for two texts: what differs is not sent anywhere.
        if hashlib.sha256(ciphertext).hexdigest() != envelope.checksum:
            raise CannotDecrypt("the document is not the one the envelope was made for")
        return ciphertext

    async def open(self, delivery: Delivery, envelope: Envelope, ciphertext: bytes) -> bytes:
        """The document.

        Raises:
            CannotDecrypt: tampered with, of another line, or its key is out of reach.
        """
        if hashlib.sha256(ciphertext).hexdigest() != envelope.checksum:
            raise CannotDecrypt("the object is not the one that was stored")
        context = context_of(delivery)
        key = await self._provider.unwrap(
            WrappedKey(envelope.kek_id, envelope.wrapped_key), context
        )
        try:
            return AESGCM(key).decrypt(envelope.nonce, ciphertext, _aad(context))
        except InvalidTag as error:
            raise CannotDecrypt("the object does not belong to this line") from error


def _aad(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True, separators=(",", ":")).encode()
