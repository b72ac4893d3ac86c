"""Is a notification really from NOWPayments? HMAC-SHA512 with a secret both sides know.

The published samples disagree on what is hashed, so each form that verifies real
notifications is accepted: the bytes as they came, and the canonical JavaScript text with
arrays as such or as objects. All of them need the secret, so none weakens the check.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from payments.domain.js_json import JsonValue, NotJson, canonical_text, parse_json
from payments.errors import BadSignature

MAX_BODY_BYTES: Final = 64 * 1024
_SHA512_HEX: Final = re.compile(r"[0-9a-f]{128}")


def read_signed(body: bytes, signature: str | None, secrets: Sequence[str]) -> JsonValue:
    """The document of a body that was signed with one of `secrets`, the current or an old one.

    `signature` is the header `x-nowpayments-sig`: 128 hex digits, in any case, spaces around.

    Raises:
        BadSignature: none of the secrets made this signature for this body.
        NotJson: it is signed, but not acceptable as JSON or larger than `MAX_BODY_BYTES`.
    """
    claimed = (signature or "").strip().lower()
    if not _SHA512_HEX.fullmatch(claimed):
        raise BadSignature
    try:
        document = _small_json(body)
    except NotJson:
        _check(claimed, [body], secrets)
        raise
    _check(claimed, [body, *_canonical_forms(document)], secrets)
    return document


def sign(text: bytes, secret: str) -> str:
    """The signature of `text`: lower-case hex; spaces around the secret do not count."""
    return hmac.new(secret.strip().encode(), text, hashlib.sha512).hexdigest()


def _small_json(body: bytes) -> JsonValue:
    if len(body) > MAX_BODY_BYTES:
        raise NotJson("too large")
    return parse_json(body)


def _canonical_forms(document: JsonValue) -> tuple[bytes, bytes]:
    return (
        canonical_text(document).encode(),
        canonical_text(document, arrays_as_objects=True).encode(),
    )


def _check(claimed: str, texts: Sequence[bytes], secrets: Sequence[str]) -> None:
    # All are compared, so that the time tells nothing.
    matches = [
        hmac.compare_digest(sign(text, secret), claimed) for secret in secrets for text in texts
    ]
    if not any(matches):
        raise BadSignature
