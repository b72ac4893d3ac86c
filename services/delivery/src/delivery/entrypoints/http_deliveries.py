"""`POST /deliveries/{id}/reveal` and `/link`; looking with GET changes nothing."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response
from foundation.crash import crash_point
from foundation.sealing import GameKey
from pydantic import BaseModel, ConfigDict, Field
from webkit.problems import Problem
from webkit.tokens import BearerPrincipal

from delivery.errors import (
    CannotDecrypt,
    KeyStoreUnavailable,
    LinkSpent,
    NoSuchLink,
    TooManyTries,
)
from delivery.handlers.renew_link import RenewLink
from delivery.handlers.reveal_keys import RevealKeys, RevealRequest

_log = structlog.get_logger()


class RevealIn(BaseModel):
    """The mailed link's token, or nothing with a bearer token."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class TextKey(BaseModel):
    """A key to type in."""

    type: Literal["text/plain"] = "text/plain"
    value: str


class ImageKey(BaseModel):
    """A key that is a picture."""

    type: str
    base64: str


class RevealOut(BaseModel):
    """The keys of a line."""

    keys: list[TextKey | ImageKey]
    reveals_left: int


def deliveries_router(reveal: RevealKeys, renew: RenewLink) -> APIRouter:
    """The buyer's doors to the keys."""
    router = APIRouter(prefix="/deliveries", tags=["deliveries"])

    @router.post("/{delivery_id}/reveal")
    async def show(
        delivery_id: str,
        body: RevealIn,
        request: Request,
        response: Response,
        principal: BearerPrincipal,
    ) -> RevealOut:
        """Show the keys of a delivery; each showing is counted and audited."""
        response.headers["Cache-Control"] = "no-store"
        with _as_problems():
            revealed = await reveal(
                RevealRequest(_id(delivery_id), body.token, principal, _client(request))
            )
        crash_point("delivery.reveal_counted")
        return RevealOut(
            keys=[_key(key) for key in revealed.keys], reveals_left=revealed.reveals_left
        )

    @router.post("/{delivery_id}/link", status_code=202)
    async def new_link(delivery_id: str, principal: BearerPrincipal) -> dict[str, str]:
        """Mail a new link to the buyer; the old one is void, count and time start again."""
        with _as_problems():
            await renew(_id(delivery_id), principal)
        return {"detail": "A new link is on its way to the buyer's address."}

    return router


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NoSuchLink from error


def _key(key: GameKey) -> TextKey | ImageKey:
    if key.media_type == "text/plain":
        return TextKey(value=key.text())
    return ImageKey(type=key.media_type, base64=base64.b64encode(key.value).decode())


def _client(request: Request) -> str:
    """A pseudonym of the caller for the audit: enough to tell two apart, not who they are."""
    facts = f"{request.client.host if request.client else ''}|{request.headers.get('user-agent')}"
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


@contextmanager
def _as_problems() -> Iterator[None]:
    """Translate what the handlers raise.

    Raises:
        Problem: 404, 410, 429 or 503.
    """
    no_store = {"Cache-Control": "no-store"}
    try:
        yield
    except NoSuchLink as error:
        detail = "There is no such link. Please use the newest mail."
        raise Problem(404, detail=detail, headers=no_store) from error
    except LinkSpent as error:
        detail = "This link has expired or was used up. Ask for a new one on your order page."
        raise Problem(410, detail=detail, headers=no_store) from error
    except TooManyTries as error:
        headers = {**no_store, "Retry-After": "900"}
        raise Problem(
            429, detail="Too many tries. Please wait a while.", headers=headers
        ) from error
    except (KeyStoreUnavailable, CannotDecrypt) as error:
        _log.error("reveal.impossible", error=type(error).__name__, reason=str(error))
        headers = {**no_store, "Retry-After": "10"}
        detail = "Your key is safe but cannot be read right now. This try was not counted."
        raise Problem(503, detail=detail, headers=headers) from error
