"""What the handlers of delivery need from outside, by role."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


class KeyStore(Protocol):
    """Keeps encrypted documents; an object is written once and never changed."""

    async def put(self, object_key: str, body: bytes, checksum: str) -> None:
        """Write the object; if it lies there with this checksum, that is success.

        Raises:
            KeyStoreUnavailable: not now.
            KeyStoreConflict: something else lies there.
        """
        ...

    async def get(self, object_key: str) -> bytes:
        """Read the object.

        Raises:
            KeyStoreUnavailable: not now, or it is missing.
        """
        ...

    async def check(self) -> None:
        """Ask whether objects can be read here at all; writes nothing.

        Raises:
            KeyStoreMisconfigured: there is no such bucket, or the access keys are refused.
            KeyStoreUnavailable: not now.
        """
        ...


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key that only the holder of a key-encryption key can use."""

    kek_id: str
    blob: bytes


class KeyProvider(Protocol):
    """Wraps data keys under a key-encryption key that does not leave it."""

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> WrappedKey:
        """Wrap under the current key-encryption key, bound to the context."""
        ...

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        """Unwrap.

        Raises:
            CannotDecrypt: unknown key-encryption key, or another context.
        """
        ...


class MailSender(Protocol):
    """Hands one mail to a mail server."""

    async def send(self, mail: EmailMessage) -> None:
        """Return when the server has accepted it.

        Raises:
            MailRefused: it never will.
            MailDeferred: not now, or it is not known; the same mail may be sent again.
        """
        ...
