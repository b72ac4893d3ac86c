"""`POST /webhooks/kinguin`: a hint to look now.

The header carries a static secret and the body is not signed, so nothing in it is
believed; an order it names is read from Kinguin. The content type is not checked:
Kinguin's own documentation misspells it.
"""

import hmac
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from webkit.problems import Problem

from fulfillment_kinguin.handlers.take_hint import TakeHint

_OF_ORDERS: Final = frozenset({"order.status", "order.complete"})


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    order_id: str = Field(alias="orderId", max_length=200)
    external_id: str | None = Field(default=None, alias="orderExternalId", max_length=300)


def kinguin_webhook_router(take_hint: TakeHint, secret: SecretStr) -> APIRouter:
    """The one address that Kinguin posts to."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])

    @router.post("/kinguin", status_code=204)
    async def receive(request: Request) -> Response:
        """Kinguin's notice of a changed order: only a hint to ask now."""
        given = request.headers.get("X-Event-Secret", "")
        if not hmac.compare_digest(given.encode(), secret.get_secret_value().encode()):
            raise Problem(401, detail="X-Event-Secret is missing or wrong.")
        event = _read(request.headers.get("X-Event-Name", ""), await request.body())
        if event is not None:
            await take_hint(event.order_id, event.external_id)
        return Response(status_code=204)

    return router


def _read(name: str, body: bytes) -> _Event | None:
    """The event, or None for one that says nothing to us: refusing it would only repeat it."""
    if name.strip().lower() not in _OF_ORDERS:
        return None
    try:
        return _Event.model_validate_json(body)
    except ValidationError:
        return None
