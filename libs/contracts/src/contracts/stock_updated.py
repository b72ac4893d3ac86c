"""`stock.updated`: free keys of a product, or the answer to a reservation."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Message, Part
from contracts.topics import Topic


class StockLevel(Part):
    """How many keys of a product nobody has; a higher version wins."""

    product_id: UUID
    free: int = Field(ge=0)
    version: int = Field(ge=0)


class Reservation(Part):
    """Whether the custom lines of an order are held, all or nothing."""

    order_id: UUID
    held: bool


class StockUpdated(Message):
    """fulfillment-custom → orders: exactly one of `level` and `reservation`."""

    topic: ClassVar[Topic] = Topic.STOCK_UPDATED

    type: Literal["stock.updated.v1"] = "stock.updated.v1"
    level: StockLevel | None = None
    reservation: Reservation | None = None

    @property
    def key(self) -> str:
        """The product id, or the order id of a reservation."""
        if self.reservation is not None:
            return str(self.reservation.order_id)
        return str(self.level.product_id if self.level else self.id)
