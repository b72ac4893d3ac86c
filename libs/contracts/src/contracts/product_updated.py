"""`product.updated`: which product of Kinguin a product of the catalogue stands for."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Message
from contracts.topics import Topic


class ProductUpdated(Message):
    """orders → fulfillment-kinguin; of one product a higher version wins."""

    topic: ClassVar[Topic] = Topic.PRODUCT_UPDATED

    type: Literal["product.updated.v1"] = "product.updated.v1"
    product_id: UUID
    kinguin_product_id: str | None
    kinguin_offer_id: str | None
    on_sale: bool = Field(description="whether it is sold now, with Kinguin as its source")
    version: int = Field(ge=0)

    @property
    def key(self) -> str:
        """The product id."""
        return str(self.product_id)
