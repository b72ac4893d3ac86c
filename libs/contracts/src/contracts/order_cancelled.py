"""`order.cancelled`: these lines are not wanted any more."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import OrderMessage
from contracts.topics import Topic


class OrderCancelled(OrderMessage):
    """orders → payments, fulfillment-*, delivery: stop, and answer for each line.

    Not `final`: the unpaid order expired. Only what is held for it is let go, nobody
    answers, and money that comes late may still revive it. `paid`: only lines are meant,
    whose money orders owes back; what has paid the order stays what has paid it.
    """

    topic: ClassVar[Topic] = Topic.ORDER_CANCELLED

    type: Literal["order.cancelled.v1"] = "order.cancelled.v1"
    line_ids: tuple[UUID, ...]
    reason: str
    final: bool = Field(default=True, description="false: expired, only let go of what is held")
    paid: bool = Field(default=False, description="true: lines of a paid order")
