"""Seal bought keys for delivery, the moment they are read and before anything is written."""

from collections.abc import Mapping, Sequence

from contracts import SealedKey, SourceType
from foundation.clock import new_id
from foundation.sealing import PublicKey, fingerprint, seal_game_key
from pydantic import SecretBytes

from fulfillment_kinguin.domain.supply import SupplierKey


class SealKeys:
    """Holds delivery's public key: what is sealed here, only delivery can open."""

    def __init__(self, public_key: PublicKey, pepper: SecretBytes) -> None:
        self._public_key = public_key
        self._pepper = pepper

    def __call__(self, keys: Sequence[SupplierKey]) -> Mapping[str, SealedKey]:
        """The sealed keys by Kinguin's ids for them."""
        return {key.key_id: self._seal(key) for key in keys}

    def _seal(self, bought: SupplierKey) -> SealedKey:
        key_id = new_id()
        return SealedKey(
            key_id=key_id,
            fingerprint=fingerprint(self._pepper, bought.key),
            media_type=bought.key.media_type,
            sealed=seal_game_key(
                self._public_key, bought.key, source=SourceType.KINGUIN.value, key_id=key_id
            ),
        )
