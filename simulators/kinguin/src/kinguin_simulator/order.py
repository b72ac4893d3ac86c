"""Orders and keys as the ledger keeps them, and what an order costs in money and stock."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel


class OrderStatus(StrEnum):
    """The buyer API's words."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REFUNDED = "refunded"


class KeyStatus(StrEnum):
    """Key states that this simulator reaches."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    REFUNDED = "REFUNDED"
    CANCELED = "CANCELED"


class Key(BaseModel):
    """One delivered key; for pictures `serial` is base64."""

    id: str
    serial: str
    type: str
    status: KeyStatus = KeyStatus.DELIVERED


class Line(BaseModel):
    """One product of an order; prices are EUR for one key."""

    kinguin_id: int
    product_id: str
    offer_id: str
    name: str
    quantity: int
    price: Decimal
    request_price: Decimal
    release_date: date
    key_type: str | None = None
    is_preorder: bool = False
    is_wholesale: bool = False
    keys: list[Key] = []


class Order(BaseModel):
    """One accepted order; `polls` counts how often its buyer looked."""

    order_id: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    lines: list[Line]
    status: OrderStatus = OrderStatus.PROCESSING
    delivered_at: datetime | None = None
    return_requested: bool = False
    polls: int = 0

    @property
    def quantity(self) -> int:
        """Keys ordered."""
        return sum(line.quantity for line in self.lines)

    @property
    def price_charged(self) -> Decimal:
        """EUR taken from the balance when the order was placed."""
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))

    @property
    def price_requested(self) -> Decimal:
        """EUR the buyer was ready to pay."""
        return sum((line.request_price * line.quantity for line in self.lines), Decimal(0))

    @property
    def keys(self) -> list[Key]:
        """Keys delivered so far, in the order of the lines."""
        return [key for line in self.lines for key in line.keys]

    @property
    def is_preorder(self) -> bool:
        """Whether nothing comes before a release date."""
        return any(line.is_preorder for line in self.lines)


@dataclass(frozen=True)
class Booking:
    """What an order takes: EUR from the balance, keys from the stock of offers."""

    spent: Decimal = Decimal(0)
    taken: dict[str, int] = field(default_factory=dict)


def booking_of(order: Order) -> Booking:
    """What `order` takes in its present state: a canceled one only what was delivered."""
    if order.status is OrderStatus.REFUNDED:
        return Booking(Decimal(0), _counts(order, delivered_only=True))
    delivered_only = order.status is OrderStatus.CANCELED
    spent = sum((line.price * _count(line, delivered_only) for line in order.lines), Decimal(0))
    return Booking(spent, _counts(order, delivered_only=delivered_only))


def _counts(order: Order, *, delivered_only: bool) -> dict[str, int]:
    return {line.offer_id: _count(line, delivered_only) for line in order.lines}


def _count(line: Line, delivered_only: bool) -> int:  # noqa: FBT001 - passes one setting down
    return len(line.keys) if delivered_only else line.quantity
