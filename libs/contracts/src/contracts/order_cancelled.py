"""`order.cancelled`: these lines are not wanted any more."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.message import OrderMessage
from contracts.topics import Topic


class OrderCancelled(OrderMessage):
    """orders → payments, fulfillment-*, delivery: stop, and answer for each line."""

    topic: ClassVar[Topic] = Topic.ORDER_CANCELLED

    type: Literal["order.cancelled.v1"] = "order.cancelled.v1"
    line_ids: tuple[UUID, ...]
    reason: str
