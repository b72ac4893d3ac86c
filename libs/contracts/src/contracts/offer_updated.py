"""`offer.updated`: price and quantity of an imported Kinguin product."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from contracts.message import Message
from contracts.topics import Topic
from contracts.values import Money


class OfferUpdated(Message):
    """fulfillment-kinguin → orders; a later `seen_at` wins."""

    topic: ClassVar[Topic] = Topic.OFFER_UPDATED

    type: Literal["offer.updated.v1"] = "offer.updated.v1"
    kinguin_product_id: str
    price: Money
    quantity: int = Field(ge=0)
    seen_at: AwareDatetime

    @property
    def key(self) -> str:
        """Kinguin's product id."""
        return self.kinguin_product_id
