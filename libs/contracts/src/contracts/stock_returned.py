"""`stock.returned`: bought keys that nobody wants any more go into own stock."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import SealedKey


class StockReturned(OrderMessage):
    """fulfillment-kinguin → fulfillment-custom, still sealed for delivery."""

    topic: ClassVar[Topic] = Topic.STOCK_RETURNED

    type: Literal["stock.returned.v1"] = "stock.returned.v1"
    line_id: UUID
    product_id: UUID
    keys: tuple[SealedKey, ...] = Field(min_length=1)
