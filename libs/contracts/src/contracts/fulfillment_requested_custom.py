"""`fulfillment.requested.custom`: a paid line wants keys from own stock."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import Sealed


class FulfillmentRequestedCustom(OrderMessage):
    """orders → fulfillment-custom. Asking again for a known line is always safe."""

    topic: ClassVar[Topic] = Topic.FULFILLMENT_REQUESTED_CUSTOM

    type: Literal["fulfillment.requested.custom.v1"] = "fulfillment.requested.custom.v1"
    line_id: UUID
    product_id: UUID
    title: str
    quantity: int = Field(ge=1)
    lines_in_order: int = Field(ge=1, description="so that delivery knows when a mail is whole")
    buyer: Sealed = Field(description="the buyer's address, sealed for delivery")
    backorder: bool = Field(default=True, description="may the line wait for an upload")
