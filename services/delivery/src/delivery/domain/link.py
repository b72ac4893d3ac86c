"""The mailed link: its token is computed, never stored, so that a mail can be repeated."""

import base64
import hashlib
import hmac
from uuid import UUID

from pydantic import SecretBytes


def link_token(secret: SecretBytes, delivery_id: UUID, link_version: int) -> str:
    """HMAC-SHA256 over delivery and link version: 256 bits, base64url."""
    subject = f"bitloot.link.1:{delivery_id}:{link_version}".encode()
    digest = hmac.new(secret.get_secret_value(), subject, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_matches(given: str, secret: SecretBytes, delivery_id: UUID, link_version: int) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(
        given.encode(), link_token(secret, delivery_id, link_version).encode()
    )


def link(storefront_url: str, delivery_id: UUID, token: str) -> str:
    """The token stands after `#`: no server and no log ever sees it."""
    return f"{storefront_url.rstrip('/')}/keys/{delivery_id}#{token}"
