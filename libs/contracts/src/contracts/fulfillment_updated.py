"""`fulfillment.updated`: what became of a line that has no keys (yet)."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import SourceType


class FulfillmentState(StrEnum):
    """A fulfilment service's answer for one line."""

    DELAYED = "delayed"
    FAILED = "failed"
    RELEASED = "released"
    TOO_LATE = "too_late"
    HANDED_BACK = "handed_back"
    NEEDS_ATTENTION = "needs_attention"


class FulfillmentUpdated(OrderMessage):
    """fulfillment-* → orders.

    `failed`: no key will come, the money is owed back. `handed_back`: nothing was
    bought, route the line elsewhere. `line_id` is None where only the order is known
    (a message that could not be read).
    """

    topic: ClassVar[Topic] = Topic.FULFILLMENT_UPDATED

    type: Literal["fulfillment.updated.v1"] = "fulfillment.updated.v1"
    line_id: UUID | None
    source_type: SourceType
    state: FulfillmentState
    reason: str | None = None
