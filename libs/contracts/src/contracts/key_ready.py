"""`key.ready`: all keys of a line, sealed for delivery."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import Sealed, SealedKey, SourceType


class KeyReady(OrderMessage):
    """fulfillment-* → delivery. Only delivery can open what is inside."""

    topic: ClassVar[Topic] = Topic.KEY_READY

    type: Literal["key.ready.v1"] = "key.ready.v1"
    line_id: UUID
    product_id: UUID
    title: str
    source_type: SourceType
    keys: tuple[SealedKey, ...] = Field(min_length=1)
    lines_in_order: int = Field(ge=1)
    buyer: Sealed
