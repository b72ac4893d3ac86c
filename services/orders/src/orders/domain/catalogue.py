"""Products: what is sold, at which price, from which source."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts import SourceType


class ProductStatus(StrEnum):
    """Whether customers see a product."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class DeliveryEstimate(StrEnum):
    """What the customer may expect after paying."""

    INSTANT = "instant"
    WITHIN_MINUTES = "within_minutes"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Product:
    """A row of the catalogue; `free_stock` is what fulfillment-custom last said."""

    id: UUID
    title: str
    retail_price: Decimal
    currency: str
    cost_usd: Decimal | None
    status: ProductStatus
    source_type: SourceType
    kinguin_product_id: str | None
    kinguin_offer_id: str | None
    backorder: bool
    free_stock: int = 0


@dataclass(frozen=True, slots=True)
class Availability:
    """What can be promised for a product on one route."""

    in_stock: bool
    estimate: DeliveryEstimate


def availability(product: Product, route: SourceType) -> Availability:
    """Judge by the route the buyer would get now."""
    if route is SourceType.KINGUIN:
        return Availability(in_stock=True, estimate=DeliveryEstimate.WITHIN_MINUTES)
    if product.free_stock > 0:
        return Availability(in_stock=True, estimate=DeliveryEstimate.INSTANT)
    return Availability(in_stock=False, estimate=DeliveryEstimate.MANUAL)


def is_sold_out(product: Product, route: SourceType, quantity: int) -> bool:
    """Whether placing must be refused; a backordered line may wait for an upload."""
    if route is SourceType.KINGUIN or product.backorder:
        return False
    return product.free_stock < quantity
