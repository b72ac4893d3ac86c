"""What the admin pages read and send; never a key."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from contracts import Money
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fulfillment_kinguin.domain.purchase import PurchaseState
from fulfillment_kinguin.domain.supply import Offer, Product
from fulfillment_kinguin.handlers.act_on_purchase import Action

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


def euros(amount: Decimal | None) -> Money | None:
    """An amount at Kinguin: always euros."""
    return None if amount is None else Money(amount=amount, currency="EUR")


class OfferOut(BaseModel):
    """One seller's offer."""

    offer_id: str
    price: Money | None
    quantity: int

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Show an offer."""
        return cls(offer_id=offer.offer_id, price=euros(offer.price), quantity=offer.quantity)


class ProductOut(BaseModel):
    """A product at Kinguin; `price` is the cheapest offer's."""

    product_id: str
    kinguin_id: int | None
    name: str
    platform: str | None
    price: Money | None
    quantity: int
    is_preorder: bool
    updated_at: datetime | None
    offers: list[OfferOut]

    @classmethod
    def of(cls, product: Product) -> Self:
        """Show a product."""
        return cls(
            product_id=product.product_id,
            kinguin_id=product.kinguin_id,
            name=product.name,
            platform=product.platform,
            price=euros(product.price),
            quantity=product.quantity,
            is_preorder=product.is_preorder,
            updated_at=product.updated_at,
            offers=[OfferOut.of(offer) for offer in product.offers],
        )


class PurchaseOut(BaseModel):
    """A purchase; `kinguin_reservation_id` is Kinguin's order id."""

    id: UUID
    line_id: UUID
    order_id: UUID
    title: str
    attempt: int
    external_id: str
    state: PurchaseState
    line_state: str
    kinguin_reservation_id: str | None
    quantity: int
    price_asked: Money | None
    price_charged: Money | None
    posts: int
    polls: int
    keys: int = Field(description="how many keys came so far")
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    updated_at: datetime


class ActionIn(BaseModel):
    """What to do about a purchase, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    action: Action
    reason: Reason


class BalanceOut(BaseModel):
    """What the account at Kinguin can still spend."""

    balance: Money
