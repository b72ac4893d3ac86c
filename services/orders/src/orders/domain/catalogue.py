"""Products: what is sold, at which price, from which source."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts import Money, SourceType

from orders.domain.offer import Offer, OfferRules


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
    """A row of the catalogue; `free_stock` is what fulfillment-custom last said.

    `offer` is what was last heard of its offer at Kinguin, however old.
    """

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
    version: int = 0
    offer: Offer | None = None

    @property
    def is_sold_from_kinguin(self) -> bool:
        """Whether it is on sale, and bought when somebody orders it."""
        return self.status is ProductStatus.ACTIVE and self.source_type is SourceType.KINGUIN


@dataclass(frozen=True, slots=True)
class Availability:
    """What can be promised for a product on one route."""

    in_stock: bool
    estimate: DeliveryEstimate


def availability(
    product: Product, route: SourceType, rules: OfferRules, now: datetime
) -> Availability:
    """Judge by the route the buyer would get now."""
    if route is SourceType.KINGUIN:
        in_stock = not _is_refused_by_offer(product, 1, rules, now)
        return Availability(in_stock, DeliveryEstimate.WITHIN_MINUTES)
    if product.free_stock > 0:
        return Availability(in_stock=True, estimate=DeliveryEstimate.INSTANT)
    return Availability(in_stock=False, estimate=DeliveryEstimate.MANUAL)


def is_sold_out(
    product: Product, route: SourceType, quantity: int, rules: OfferRules, now: datetime
) -> bool:
    """Whether placing must be refused."""
    if route is SourceType.KINGUIN:
        return _is_refused_by_offer(product, quantity, rules, now)
    return lacks_own_stock(product, quantity)


def lacks_own_stock(product: Product, quantity: int) -> bool:
    """Whether too few keys are free; a backordered line may wait for an upload."""
    return not product.backorder and product.free_stock < quantity


def concerns_kinguin(before: Product | None, after: Product) -> bool:
    """Whether fulfillment-kinguin must hear of a change: its id is there, or was."""
    return any(p is not None and p.kinguin_product_id is not None for p in (before, after))


def _is_refused_by_offer(product: Product, quantity: int, rules: OfferRules, now: datetime) -> bool:
    """Whether Kinguin has too few keys, or they cost too much; without news it is tried."""
    offer = rules.fresh(product.offer, now)
    price = Money(amount=product.retail_price, currency=product.currency)
    return offer is not None and not rules.serves(offer, quantity, price)
