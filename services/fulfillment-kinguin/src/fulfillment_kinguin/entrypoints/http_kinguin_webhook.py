"""`POST /webhooks/kinguin`: a hint to look now.

The header carries a static secret and the body is not signed, so nothing in it is
believed; an order or product it names is read from Kinguin. The content type is not checked:
Kinguin's own documentation misspells it.
"""

import hmac
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from webkit.problems import Problem

from fulfillment_kinguin.handlers.take_hint import TakeHint, TakeOfferHint

_OF_ORDERS: Final = frozenset({"order.status", "order.complete"})
_OF_PRODUCTS: Final = frozenset({"product.update"})


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _OrderEvent(_Event):
    order_id: str = Field(alias="orderId", max_length=200)
    external_id: str | None = Field(default=None, alias="orderExternalId", max_length=300)


class _ProductEvent(_Event):
    product_id: str = Field(alias="productId", pattern=r"^[0-9A-Za-z]{1,64}$")
    kinguin_id: int | None = Field(default=None, alias="kinguinId")

    @property
    def ids(self) -> list[str]:
        """What the catalogue may know it by."""
        return [self.product_id, *([] if self.kinguin_id is None else [str(self.kinguin_id)])]


def kinguin_webhook_router(
    take_hint: TakeHint, take_offer_hint: TakeOfferHint, secret: SecretStr
) -> APIRouter:
    """The one address that Kinguin posts to."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])

    @router.post("/kinguin", status_code=204)
    async def receive(request: Request) -> Response:
        """Kinguin's notice of a changed order or product: only a hint to ask now."""
        given = request.headers.get("X-Event-Secret", "")
        if not hmac.compare_digest(given.encode(), secret.get_secret_value().encode()):
            raise Problem(401, detail="X-Event-Secret is missing or wrong.")
        event = _read(request.headers.get("X-Event-Name", ""), await request.body())
        if isinstance(event, _OrderEvent):
            await take_hint(event.order_id, event.external_id)
        elif isinstance(event, _ProductEvent):
            await take_offer_hint(event.ids)
        return Response(status_code=204)

    return router


def _read(name: str, body: bytes) -> _Event | None:
    """The event, or None for one that says nothing to us: refusing it would only repeat it."""
    kind = name.strip().lower()
    if kind not in _OF_ORDERS | _OF_PRODUCTS:
        return None
    try:
        model = _OrderEvent if kind in _OF_ORDERS else _ProductEvent
        return model.model_validate_json(body)
    except ValidationError:
        return None
