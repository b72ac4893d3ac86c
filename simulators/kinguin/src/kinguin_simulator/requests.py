"""What buyers send, with the API's own names; unknown fields are let through."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from kinguin_simulator.order import OrderStatus

MOST_PRODUCTS = 10
MOST_KEYS = 1000
Row = TypeVar("Row")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]
MOST_IDS = 100


def _few(ids: str) -> str:
    if ids.count(",") >= MOST_IDS:
        raise ValueError(f"at most {MOST_IDS} ids")
    return ids


Ids = Annotated[str, AfterValidator(_few)]
Numbers = Annotated[str, Field(pattern=r"^\d+(,\d+)*$"), AfterValidator(_few)]
ExternalId = Annotated[str, Field(min_length=1, max_length=255)]


class _OrderedProduct(BaseModel):
    qty: Annotated[int, Field(strict=True, ge=1, le=MOST_KEYS)]
    price: Annotated[Decimal, Field(gt=0, max_digits=16)]
    keyType: Literal["text"] | None = None  # noqa: N815 - the API's name
    offerId: str | None = None  # noqa: N815 - the API's name


class ProductByNumber(_OrderedProduct):
    """A position of POST /v1/order."""

    kinguinId: Annotated[int, Field(strict=True)]  # noqa: N815 - the API's name


class ProductById(_OrderedProduct):
    """A position of POST /v2/order."""

    productId: str  # noqa: N815 - the API's name


class OrderV1(BaseModel):
    """POST /esa/api/v1/order."""

    products: Annotated[list[ProductByNumber], Field(min_length=1, max_length=MOST_PRODUCTS)]
    orderExternalId: ExternalId | None = None  # noqa: N815 - the API's name


class OrderV2(BaseModel):
    """POST /esa/api/v2/order."""

    products: Annotated[list[ProductById], Field(min_length=1, max_length=MOST_PRODUCTS)]
    orderExternalId: ExternalId | None = None  # noqa: N815 - the API's name


class SalesManagerOrder(BaseModel):
    """POST /v1/orders of the sales-manager form: one key of one offer."""

    offerId: str  # noqa: N815 - the API's name
    quantity: Annotated[int, Field(strict=True, ge=1, le=1)]
    autoDeliver: Literal[True]  # noqa: N815 - the API's name
    externalId: ExternalId | None = None  # noqa: N815 - the API's name


class Paging(BaseModel):
    """Pages count from 1."""

    page: Annotated[int, Field(ge=1)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 25

    def cut(self, rows: list[Row]) -> list[Row]:
        """The rows of this page."""
        start = (self.page - 1) * self.limit
        return rows[start : start + self.limit]


class ProductSearch(Paging):
    """GET /esa/api/v1/products; lists are separated by commas."""

    name: Annotated[str, Field(min_length=3)] | None = None
    # The first name is the documentation's own misspelling.
    sortBy: Literal["kingiunId", "kinguinId", "updatedAt"] = "kinguinId"  # noqa: N815 - API name
    sortType: Literal["asc", "desc"] = "asc"  # noqa: N815 - the API's name
    platform: str | None = None
    genre: str | None = None
    kinguinId: Numbers | None = None  # noqa: N815 - the API's name
    productId: Ids | None = None  # noqa: N815 - the API's name
    tags: str | None = None
    merchantName: str | None = None  # noqa: N815 - the API's name
    isPreorder: Literal["yes", "no"] | None = None  # noqa: N815 - the API's name
    activePreorder: Literal["yes"] | None = None  # noqa: N815 - the API's name
    withText: Literal["yes"] | None = None  # noqa: N815 - the API's name
    regionId: int | None = None  # noqa: N815 - the API's name
    updatedSince: Moment | None = None  # noqa: N815 - the API's name
    updatedTo: Moment | None = None  # noqa: N815 - the API's name


class OrderSearch(Paging):
    """GET /esa/api/v1/order."""

    createdAtFrom: Moment | None = None  # noqa: N815 - the API's name
    createdAtTo: Moment | None = None  # noqa: N815 - the API's name
    kinguinId: int | None = None  # noqa: N815 - the API's name
    productId: str | None = None  # noqa: N815 - the API's name
    orderId: str | None = None  # noqa: N815 - the API's name
    orderExternalId: str | None = None  # noqa: N815 - the API's name
    status: OrderStatus | None = None
    isPreorder: Literal["yes", "no"] | None = None  # noqa: N815 - the API's name
