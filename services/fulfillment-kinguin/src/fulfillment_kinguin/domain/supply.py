"""What a supplier of keys has, is asked for and answers, in our own words.

Prices are euros for one key: Kinguin sells in nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from foundation.sealing import GameKey


class OrderStatus(StrEnum):
    """How far the supplier is with an order."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's price; `quantity` keys are there, `text_quantity` of them as text."""

    offer_id: str
    price: Decimal
    quantity: int
    text_quantity: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product; `price` and the quantities are those of its cheapest offers."""

    product_id: str
    kinguin_id: int | None
    name: str
    platform: str | None
    price: Decimal | None
    quantity: int
    text_quantity: int
    is_preorder: bool
    offers: Sequence[Offer]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page of a search, and how many products fit in all."""

    products: Sequence[Product]
    total: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What to pay for one key, and whose offer to take; None leaves it to the supplier."""

    unit_price: Decimal | None
    offer_id: str | None = None
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class OrderToPlace:
    """An order as the supplier gets it."""

    external_id: str
    product_id: str
    quantity: int
    choice: Choice


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """An order as the supplier tells it; `price_charged` is its whole price in euros.

    `keys_returned` counts its keys that are the supplier's again.
    """

    order_id: str
    external_id: str | None
    status: OrderStatus
    created_at: datetime | None = None
    price_charged: Decimal | None = None
    keys_returned: int = 0

    @property
    def was_refunded(self) -> bool:
        """Whether all of its money came back."""
        return self.status is OrderStatus.REFUNDED


@dataclass(frozen=True, slots=True)
class SupplierKey:
    """A key that was delivered, under the supplier's own id for it."""

    key_id: str
    key: GameKey
