"""`order.placed`: an order waits for its payment."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.message import OrderMessage, Part
from contracts.topics import Topic
from contracts.values import Money, SourceType


class PlacedLine(Part):
    """One line of a placed order, with the route that was frozen for it."""

    line_id: UUID
    product_id: UUID
    quantity: int = Field(ge=1)
    source_type: SourceType
    backorder: bool = Field(default=True, description="may the line wait for an upload")


class OrderPlaced(OrderMessage):
    """orders → payments, fulfillment-custom: bill it, and hold stock for custom lines."""

    topic: ClassVar[Topic] = Topic.ORDER_PLACED

    type: Literal["order.placed.v1"] = "order.placed.v1"
    total: Money
    expires_at: AwareDatetime = Field(description="unpaid by then, the order expires")
    description: str = Field(description="what the invoice shows the buyer")
    lines: tuple[PlacedLine, ...]
