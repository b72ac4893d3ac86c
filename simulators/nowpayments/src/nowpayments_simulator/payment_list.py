"""The payment list's query: filter, order and pages, as `GET /v1/payment/` takes them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from nowpayments_simulator.faults import Faults
from nowpayments_simulator.payment import Payment
from nowpayments_simulator.views import payment_view

SortField = Literal[
    "payment_id",
    "payment_status",
    "pay_address",
    "price_amount",
    "price_currency",
    "pay_amount",
    "actually_paid",
    "pay_currency",
    "order_id",
    "purchase_id",
    "created_at",
    "updated_at",
]


class PaymentQuery(BaseModel):
    """Names as the API has them; pages count from 0."""

    limit: Annotated[int, Field(ge=1, le=500)] = 10
    page: Annotated[int, Field(ge=0)] = 0
    sortBy: SortField = "created_at"  # noqa: N815 - the API's name
    orderBy: Literal["asc", "desc"] = "asc"  # noqa: N815 - the API's name
    dateFrom: datetime | None = None  # noqa: N815 - the API's name
    dateTo: datetime | None = None  # noqa: N815 - the API's name
    invoiceId: str | None = None  # noqa: N815 - the API's name


def page_of(payments: Iterable[Payment], query: PaymentQuery, faults: Faults) -> dict[str, Any]:
    """One page of the payments that fit the query, with the totals."""
    fitting = _sorted([payment for payment in payments if _fits(payment, query)], query)
    start = query.page * query.limit
    return {
        "data": [payment_view(payment, faults) for payment in fitting[start : start + query.limit]],
        "limit": query.limit,
        "page": query.page,
        "pagesCount": -(-len(fitting) // query.limit),
        "total": len(fitting),
    }


def _fits(payment: Payment, query: PaymentQuery) -> bool:
    if query.invoiceId is not None and payment.invoice_id != query.invoiceId:
        return False
    if query.dateFrom is not None and payment.created_at < _aware(query.dateFrom):
        return False
    return query.dateTo is None or payment.created_at <= _aware(query.dateTo)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sorted(payments: list[Payment], query: PaymentQuery) -> Sequence[Payment]:
    def place(payment: Payment) -> tuple[bool, Any]:
        value = getattr(payment, query.sortBy)
        return value is not None, value if value is not None else ""

    return sorted(payments, key=place, reverse=query.orderBy == "desc")
