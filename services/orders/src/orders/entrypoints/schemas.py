"""The JSON that orders speaks (interfaces.md, Orders API)."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from contracts import SourceType
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from orders.domain.catalogue import Availability, DeliveryEstimate, Product, ProductStatus
from orders.domain.money_text import money_text
from orders.domain.offer import Offer

AmountText = Annotated[Decimal, PlainSerializer(money_text, when_used="json")]
PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=8)]


class In(BaseModel):
    """A request body: unknown fields are refused, values never repeated in errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Price(BaseModel):
    """Money as it is shown; the amount is a string."""

    amount: AmountText
    currency: str


class PriceIn(In):
    """Money as it is given: the amount as a string, so that no float comes in."""

    amount: Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,8})?$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class ProductOut(BaseModel):
    """A product as customers see it: never cost or supplier ids."""

    id: UUID
    title: str
    price: Price
    in_stock: bool
    delivery_estimate: DeliveryEstimate

    @classmethod
    def of(cls, product: Product, available: Availability) -> "ProductOut":
        """The public view."""
        return cls(
            id=product.id,
            title=product.title,
            price=Price(amount=product.retail_price, currency=product.currency),
            in_stock=available.in_stock,
            delivery_estimate=available.estimate,
        )


# PostgreSQL holds every character but NUL.
STORABLE = r"^[^\x00]*$"
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=STORABLE)
]
SupplierId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CostText = Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,8})?$")]


class ProductFields(In):
    """The fields an admin may change; those left out stay as they are."""

    title: Title | None = None
    retail_price: PriceIn | None = None
    cost_usd: CostText | None = None
    status: ProductStatus | None = None
    source_type: SourceType | None = None
    kinguin_product_id: SupplierId | None = None
    kinguin_offer_id: SupplierId | None = None
    backorder: bool | None = None


class NewProduct(ProductFields):
    """A product to add."""

    title: Title
    retail_price: PriceIn
    status: ProductStatus = ProductStatus.ACTIVE
    source_type: SourceType = SourceType.CUSTOM
    backorder: bool = True


class OfferOut(BaseModel):
    """What was last heard of a product's offer at Kinguin; no price: it was not on sale."""

    price: Price | None
    cost_usd: AmountText | None
    quantity: int
    seen_at: datetime

    @classmethod
    def of(cls, offer: Offer) -> "OfferOut":
        """The admin view."""
        euros = offer.price_eur
        return cls(
            price=None if euros is None else Price(amount=euros, currency="EUR"),
            cost_usd=offer.cost_usd,
            quantity=offer.quantity,
            seen_at=offer.seen_at,
        )


class AdminProduct(BaseModel):
    """A product as admins see it."""

    id: UUID
    title: str
    retail_price: Price
    cost_usd: AmountText | None
    status: ProductStatus
    source_type: SourceType
    kinguin_product_id: str | None
    kinguin_offer_id: str | None
    backorder: bool
    free_stock: int
    offer: OfferOut | None

    @classmethod
    def of(cls, product: Product) -> "AdminProduct":
        """The admin view."""
        return cls(
            id=product.id,
            title=product.title,
            retail_price=Price(amount=product.retail_price, currency=product.currency),
            cost_usd=product.cost_usd,
            status=product.status,
            source_type=product.source_type,
            kinguin_product_id=product.kinguin_product_id,
            kinguin_offer_id=product.kinguin_offer_id,
            backorder=product.backorder,
            free_stock=product.free_stock,
            offer=None if product.offer is None else OfferOut.of(product.offer),
        )


class ImportResult(BaseModel):
    """What an import did; the answer names lines, never values."""

    created: int
    updated: int
    unchanged: int
    rejected: list["RejectedLine"]


class RejectedLine(BaseModel):
    """A line of the file that was not taken, and why."""

    line: int
    reason: str


class ItemIn(In):
    """One product to buy."""

    product_id: UUID
    quantity: Annotated[int, Field(ge=1, le=9, strict=True)]


def _accepted(terms: bool) -> bool:  # noqa: FBT001  a validator's signature
    if not terms:
        raise ValueError("must be true: an order needs the terms accepted")
    return terms


class OrderIn(In):
    """A request to place an order."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]
    accept_terms: Annotated[bool, Field(strict=True), AfterValidator(_accepted)]
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=20)]


class DeliveryOut(BaseModel):
    """The keys of a line are ready to be opened."""

    id: UUID
    ready_at: datetime | None
    reveals_left: int | None
    expires_at: datetime | None


class ItemOut(BaseModel):
    """One line of an order."""

    id: UUID
    product_id: UUID
    title: str
    quantity: int
    unit_price: Price
    source_type: SourceType
    status: str
    cancellation: str | None
    replaces: UUID | None = Field(
        description="the item whose key did not work, if this one is for it"
    )
    delivery: DeliveryOut | None


class OrderOut(BaseModel):
    """The parts of an order that every answer has."""

    id: UUID
    status: str
    total: Price
    items: list[ItemOut]
    expires_at: datetime


class PlacedOrderOut(OrderOut):
    """The answer to placing: the only place where the order's token is shown."""

    access_token: str


class PaymentOut(BaseModel):
    """How far the payment is."""

    status: str | None
    invoice_url: str | None
    price: Price
    pay_currency: str | None
    paid: AmountText | None


class HistoryOut(BaseModel):
    """One change of the order's status."""

    at: datetime
    status: str


class OwedOut(BaseModel):
    """Money of the order that is owed back, in plain words and without the address."""

    amount: AmountText
    currency: str | None
    state: str
    text: str
    tx_hash: str | None


class OrderPageOut(OrderOut):
    """What the order page shows."""

    status_text: str
    payment: PaymentOut
    history: list[HistoryOut]
    refunds: list[OwedOut]


class AdminChangeOut(HistoryOut):
    """One change of the order or a line, with its reason."""

    item_id: UUID | None
    reason: str | None


class AdminOrderOut(OrderOut):
    """An order as admins see it."""

    email: str
    source_type: str
    placed_at: datetime
    attention: list[str]
    payment: PaymentOut


class AdminOrderDetailOut(AdminOrderOut):
    """An order with its whole history."""

    history: list[AdminChangeOut]


class ActionIn(In):
    """What an admin wants done with an order."""

    action: Literal["cancel", "retry", "accept_underpaid", "mark_refunded"]
    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=STORABLE),
    ]
    tx_hash: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{8,128}$")] | None = None
    line_ids: Annotated[list[UUID], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="lines of a paid order to cancel; all, if left out"
    )

    @model_validator(mode="after")
    def _lines_are_cancelled_only(self) -> Self:
        if self.line_ids is not None and self.action != "cancel":
            raise ValueError("line_ids go with the action cancel only")
        return self


class RolloutBody(In):
    """The switch: on or off, for how many percent, and who sees it first."""

    kinguin_enabled: bool
    rollout_percent: Annotated[int, Field(ge=0, le=100, strict=True)]
    tester_emails: Annotated[
        list[Annotated[str, StringConstraints(max_length=254, pattern=STORABLE)]],
        Field(max_length=1000),
    ] = []


class RolloutOut(RolloutBody):
    """The switch as stored, and what holds."""

    effective_kinguin_enabled: bool
