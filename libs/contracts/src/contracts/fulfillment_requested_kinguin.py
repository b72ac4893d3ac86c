"""`fulfillment.requested.kinguin`: a paid line wants keys bought from Kinguin."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import Money, Sealed


class FulfillmentRequestedKinguin(OrderMessage):
    """orders → fulfillment-kinguin. Asking again for a known line is always safe."""

    topic: ClassVar[Topic] = Topic.FULFILLMENT_REQUESTED_KINGUIN

    type: Literal["fulfillment.requested.kinguin.v1"] = "fulfillment.requested.kinguin.v1"
    line_id: UUID
    product_id: UUID
    title: str
    quantity: int = Field(ge=1)
    kinguin_product_id: str
    kinguin_offer_id: str | None = None
    highest_unit_price: Money = Field(description="never pay more for one key than this")
    lines_in_order: int = Field(ge=1, description="so that delivery knows when a mail is whole")
    buyer: Sealed = Field(description="the buyer's address, sealed for delivery")
