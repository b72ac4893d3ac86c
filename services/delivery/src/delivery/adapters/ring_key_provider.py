"""Key-encryption keys from a ring in memory: the setting KEKS, or a mounted file."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from foundation.settings import SecretRing

from delivery.errors import CannotDecrypt
from delivery.ports import WrappedKey

_NONCE_BYTES: Final = 12


class RingKeyProvider:
    """AES-256-GCM under a key of the ring; the first key wraps, all unwrap."""

    def __init__(self, ring: SecretRing) -> None:
        self._ring = ring

    @classmethod
    def from_file(cls, path: Path) -> "RingKeyProvider":
        """Read a mounted secret.

        Raises:
            OSError, ValueError: it cannot be read, or is no ring.
        """
        return cls(SecretRing.parse(path.read_text().strip()))

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> WrappedKey:
        """Wrap under the current key."""
        kek_id = self._ring.current_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._kek(kek_id)).encrypt(nonce, key, _aad(kek_id, context))
        return WrappedKey(kek_id, nonce + sealed)

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        """Unwrap with the key that is named.

        Raises:
            CannotDecrypt: the ring lacks that key, or the context differs.
        """
        nonce, sealed = wrapped.blob[:_NONCE_BYTES], wrapped.blob[_NONCE_BYTES:]
        try:
            cipher = AESGCM(self._kek(wrapped.kek_id))
            return cipher.decrypt(nonce, sealed, _aad(wrapped.kek_id, context))
        except InvalidTag as error:
            raise CannotDecrypt("the data key was wrapped for something else") from error

    def _kek(self, kek_id: str) -> bytes:
        kek = self._ring.get(kek_id)
        if kek is None:
            raise CannotDecrypt(f"KEKS holds no key {kek_id}: add it back")
        return kek


def _aad(kek_id: str, context: Mapping[str, str]) -> bytes:
    return json.dumps({**context, "kek": kek_id}, sort_keys=True).encode()
