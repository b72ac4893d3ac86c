"""The buyer API's objects: only what we use, as lenient as the live service needs.

Fields may be missing and amounts be numbers or texts. Serials are secret by their type.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, TypeVar

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from fulfillment_kinguin.domain.read_key import read_key
from fulfillment_kinguin.domain.supply import (
    Offer,
    OrderStatus,
    Product,
    SupplierKey,
    SupplierOrder,
)
from fulfillment_kinguin.errors import UnreadableAnswer

A = TypeVar("A", bound="Answer")

_STATUSES: Final = {status.value: status for status in OrderStatus}
_WENT_BACK: Final = frozenset({"RETURNED", "REFUNDED"})
_log = structlog.get_logger()


class Answer(BaseModel):
    """Part of an answer; what we do not know is passed over."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel
    )


def read_answer(model: type[A], body: object) -> A:
    """Read an answer.

    Raises:
        UnreadableAnswer: it is not of the agreed form.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise UnreadableAnswer(f"{model.__name__}.{where}: {first['type']}") from None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Euros = Annotated[Decimal, Field(ge=0, lt=10**9)]


class OfferAnswer(Answer):
    """One seller's offer."""

    offer_id: Id
    price: Euros
    qty: int = 0
    text_qty: int | None = None

    def to_offer(self) -> Offer:
        """In our words; without a count of texts there may be none."""
        return Offer(self.offer_id, self.price, self.qty, self.text_qty or 0)


class ProductAnswer(Answer):
    """A product."""

    product_id: Id
    kinguin_id: int | None = None
    name: str = ""
    platform: str | None = None
    price: Euros | None = None
    qty: int = 0
    text_qty: int | None = None
    is_preorder: bool = False
    offers: list[OfferAnswer] | None = None
    updated_at: Moment | None = None

    def to_product(self) -> Product:
        """In our words."""
        return Product(
            product_id=self.product_id,
            kinguin_id=self.kinguin_id,
            name=self.name,
            platform=self.platform,
            price=self.price,
            quantity=self.qty,
            text_quantity=self.text_qty or 0,
            is_preorder=self.is_preorder,
            offers=tuple(offer.to_offer() for offer in self.offers or ()),
            updated_at=self.updated_at,
        )


class ProductsAnswer(Answer):
    """A page of products; `item_count` is the only name that is not camel case."""

    results: list[ProductAnswer]
    item_count: int = Field(alias="item_count")


class KeyStateAnswer(Answer):
    """A key of an order, without its serial."""

    status: str = ""


class PositionAnswer(Answer):
    """One product of an order."""

    keys: list[KeyStateAnswer] | None = None


class OrderAnswer(Answer):
    """An order; `payment_price` is what was taken from the balance."""

    order_id: Id
    order_external_id: str | None = None
    status: str = ""
    created_at: Moment | None = None
    payment_price: Euros | None = None
    total_price: Euros | None = None
    products: list[PositionAnswer] | None = None

    def to_order(self) -> SupplierOrder:
        """In our words."""
        charged = self.total_price if self.payment_price is None else self.payment_price
        return SupplierOrder(
            self.order_id,
            self.order_external_id,
            read_status(self.status, _STATUSES),
            self.created_at,
            charged,
            sum(
                key.status.strip().upper() in _WENT_BACK
                for position in self.products or ()
                for key in position.keys or ()
            ),
        )


class OrdersAnswer(Answer):
    """A page of orders."""

    results: list[OrderAnswer]


class KeyAnswer(Answer):
    """A delivered key."""

    id: Id
    serial: SecretStr
    type: str = "text/plain"

    def to_key(self) -> SupplierKey:
        """In our words.

        Raises:
            UnreadableKey: it is not what it says it is.
        """
        return SupplierKey(self.id, read_key(self.type, self.serial.get_secret_value()))


class KeysAnswer(Answer):
    """A page of keys; the API answers with the bare list."""

    keys: list[KeyAnswer]


class BalanceAnswer(Answer):
    """What the account can still spend."""

    balance: Decimal


def read_status(text: str, known: dict[str, OrderStatus]) -> OrderStatus:
    """The status; one we do not know counts as not done, so that the order is followed on."""
    status = known.get(text.strip().lower())
    if status is None:
        _log.warning("supplier.unknown_status", status=text[:40])
        return OrderStatus.PROCESSING
    return status
