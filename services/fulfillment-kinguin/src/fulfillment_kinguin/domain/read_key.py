"""A delivered key as bytes of a known kind; what is not what it says is never sent on."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from foundation.sealing import GameKey

from fulfillment_kinguin.errors import UnreadableKey

_MAGIC: Final[dict[str, tuple[bytes, ...]]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
"""The first bytes of each kind of picture that Kinguin sends."""


def read_key(media_type: str, serial: str) -> GameKey:
    """Read a text key as it is, or a picture from base64.

    Raises:
        UnreadableKey: an unknown media type, an empty text, broken base64, another kind of
            file; the key itself is never repeated.
    """
    kind = media_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        return _text(serial)
    if kind not in _MAGIC:
        raise UnreadableKey("a key came with a media type that is not known")
    return _picture(kind, serial)


def _text(serial: str) -> GameKey:
    if not serial.strip():
        raise UnreadableKey("a key of type text/plain is empty")
    return GameKey.from_text(serial)


def _picture(kind: str, serial: str) -> GameKey:
    try:
        value = b64decode("".join(serial.split()), validate=True)
    except (Base64Error, ValueError):
        raise UnreadableKey(f"a key of type {kind} is not base64") from None  # the cause holds it
    if not value.startswith(_MAGIC[kind]):
        raise UnreadableKey(f"a key of type {kind} is no such picture")
    return GameKey(kind, value)
