"""`rollout.changed`: whether, and for how many products, Kinguin is used."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts.message import Message
from contracts.topics import Topic


class RolloutChanged(Message):
    """orders → fulfillment-kinguin; a higher version wins."""

    topic: ClassVar[Topic] = Topic.ROLLOUT_CHANGED

    type: Literal["rollout.changed.v1"] = "rollout.changed.v1"
    kinguin_enabled: bool
    rollout_percent: int = Field(ge=0, le=100)
    version: int = Field(ge=0)

    @property
    def key(self) -> str:
        """One constant: all changes stay in order."""
        return "rollout"
