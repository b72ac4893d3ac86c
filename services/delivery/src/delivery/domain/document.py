"""The document that is encrypted: all keys of a line, padded so that its size tells little."""

import base64
import json
from collections.abc import Sequence
from typing import Final

from foundation.sealing import GameKey

VERSION: Final = 1
BLOCK: Final = 512
"""Bytes the document is padded to a multiple of: a text key's length stays hidden."""


def pack(keys: Sequence[GameKey]) -> bytes:
    """The keys as bytes, the same for the same keys."""
    entries = [
        {"type": key.media_type, "value": base64.b64encode(key.value).decode()} for key in keys
    ]
    text = json.dumps({"version": VERSION, "keys": entries}, separators=(",", ":")).encode()
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def unpack(document: bytes) -> list[GameKey]:
    """The keys of a document.

    Raises:
        ValueError: it is of another version, or none at all.
    """
    content = json.loads(document)
    if content.get("version") != VERSION:
        raise ValueError("a document of another version")
    return [GameKey(entry["type"], base64.b64decode(entry["value"])) for entry in content["keys"]]
