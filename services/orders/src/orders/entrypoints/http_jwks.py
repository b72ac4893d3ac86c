"""`GET /.well-known/jwks.json`: the public keys that check our tokens."""

from typing import Any

from fastapi import APIRouter, Response
from webkit.tokens import TokenSigner


def jwks_router(signer: TokenSigner) -> APIRouter:
    """The keys of the whole ring, so that tokens survive a rotation."""
    router = APIRouter(tags=["auth"])

    @router.get("/.well-known/jwks.json")
    async def jwks(response: Response) -> dict[str, Any]:
        """The public keys that check the tokens issued here (RFC 7517)."""
        response.headers["Cache-Control"] = "public, max-age=300"
        return signer.jwks()

    return router
