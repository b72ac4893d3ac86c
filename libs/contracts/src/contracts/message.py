"""The envelope every message carries.

The id and the type stand in the body, so that they survive dead letters, replays
and repairs by hand. The Kafka key is the order id, or what a subclass says where
there is no order. Producers send no unknown field; consumers ignore them, so that a
new optional field breaks nobody.
"""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.topics import Topic


class Part(BaseModel):
    """A value inside a message: immutable, unknown fields ignored on reading."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(Part):
    """A message on a topic; `id` is made once, when the fact happens."""

    topic: ClassVar[Topic]

    id: UUID
    occurred_at: AwareDatetime

    @property
    def key(self) -> str:
        """The Kafka key: messages of one key stay in order on one topic."""
        return str(self.id)


class OrderMessage(Message):
    """A message about one order; its Kafka key is the order id."""

    order_id: UUID

    @property
    def key(self) -> str:
        """The order id."""
        return str(self.order_id)
