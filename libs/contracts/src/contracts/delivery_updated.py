"""`delivery.updated`: where the keys of a line are."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.message import OrderMessage
from contracts.topics import Topic


class DeliveryState(StrEnum):
    """What happened to a delivery."""

    STORED = "stored"
    MAILED = "mailed"
    MAIL_FAILED = "mail_failed"
    REVEALED = "revealed"
    RENEWED = "renewed"
    VOIDED = "voided"
    NEEDS_ATTENTION = "needs_attention"


class DeliveryUpdated(OrderMessage):
    """delivery → orders. `version` rises with each message about one delivery.

    `line_id` and `delivery_id` are None where only the order is known (a message that
    could not be read). A cancelled line is answered with `revealed`: false, its link is
    void for good and nobody ever saw the key; true, the buyer keeps it.
    """

    topic: ClassVar[Topic] = Topic.DELIVERY_UPDATED

    type: Literal["delivery.updated.v1"] = "delivery.updated.v1"
    line_id: UUID | None
    delivery_id: UUID | None
    state: DeliveryState
    version: int = 0
    ready_at: AwareDatetime | None = None
    reveals_left: int | None = None
    expires_at: AwareDatetime | None = None
    reason: str | None = None
    revealed: bool | None = Field(
        default=None, description="the answer to a cancellation: was the key ever shown"
    )
