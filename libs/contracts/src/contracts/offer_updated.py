"""`offer.updated`: what a key of a Kinguin product costs now, and how many can be bought."""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from contracts.message import Message
from contracts.topics import Topic
from contracts.values import Money


class OfferUpdated(Message):
    """fulfillment-kinguin → orders; of one product and offer a later `seen_at` wins."""

    topic: ClassVar[Topic] = Topic.OFFER_UPDATED

    type: Literal["offer.updated.v1"] = "offer.updated.v1"
    kinguin_product_id: str
    kinguin_offer_id: str | None = Field(
        description="the offer that the catalogue prefers; another one may be the one told of"
    )
    price: Money | None = Field(description="euros for one key; null: not on sale now")
    cost_usd: Decimal | None = Field(
        description="the price in US dollars; null without a rate that is young enough"
    )
    quantity: int = Field(ge=0, description="how many can be bought for this price")
    seen_at: AwareDatetime

    @property
    def key(self) -> str:
        """Kinguin's product id."""
        return self.kinguin_product_id
