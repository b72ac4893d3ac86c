"""Our side of the reconciliation: what payments, orders and fulfillment-kinguin have noted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from fulfillment_kinguin.domain.supply import SupplierOrder
from persistence.database import Database

from bitloot_verify.reconciliation.compare import (
    KnownPurchase,
    OurOrder,
    OurPayment,
    OurPurchase,
)

_PAYMENTS: Final = sa.text(
    "SELECT p.payment_id, p.order_id, status, actually_paid, pay_currency,"
    " c.payment_id IS NOT NULL, r.payment_id IS NOT NULL FROM payments p"
    " LEFT JOIN confirmations c ON c.payment_id = p.payment_id"
    " LEFT JOIN refundables r ON r.payment_id = p.payment_id WHERE first_seen_at >= :since"
)
_ORDERS: Final = sa.text(
    "SELECT id, total, currency, money = 'paid', delivered_at IS NOT NULL,"
    " EXISTS (SELECT FROM audit_log WHERE action = 'order.accept_underpaid'"
    " AND subject = CAST(orders.id AS text)) FROM orders WHERE placed_at >= :since"
)
_PURCHASES: Final = sa.text(
    "SELECT external_id, kinguin_reservation_id, state, price_charged_eur FROM purchases"
    " WHERE kinguin_reservation_id IS NOT NULL AND created_at >= :since"
)

_KNOWN: Final = sa.text(
    "SELECT external_id, kinguin_reservation_id, state FROM purchases"
    " WHERE external_id = ANY(:external_ids) OR kinguin_reservation_id = ANY(:order_ids)"
)
_NOTED: Final = sa.text(
    "SELECT payment_id, amount, currency, worth, worth_currency FROM noted_surpluses"
    " WHERE noted_at >= :since ORDER BY noted_at"
)


@dataclass(frozen=True, slots=True)
class NotedSurplus:
    """What somebody paid too much and is not worth sending back; no difference to settle."""

    payment_id: str
    amount: Decimal
    currency: str | None
    worth: Decimal
    worth_currency: str


@dataclass(frozen=True, slots=True)
class Books:
    """What our three databases say."""

    payments: Mapping[str, OurPayment]
    orders: tuple[OurOrder, ...]
    purchases: tuple[OurPurchase, ...]
    noted: tuple[NotedSurplus, ...]


async def read_books(databases: Mapping[str, Database], since: datetime) -> Books:
    """Read the three databases, named by service.

    Raises:
        OSError, sqlalchemy.exc.DBAPIError: one cannot be read.
    """

    async def rows(service: str, query: sa.TextClause) -> list[Sequence[Any]]:
        async with databases[service].transaction() as transaction:
            return [tuple(row) for row in await transaction.execute(query, {"since": since})]

    payments = [OurPayment(*row) for row in await rows("payments", _PAYMENTS)]
    orders = [OurOrder(*row) for row in await rows("orders", _ORDERS)]
    purchases = [OurPurchase(*row) for row in await rows("fulfillment-kinguin", _PURCHASES)]
    noted = tuple(NotedSurplus(*row) for row in await rows("payments", _NOTED))
    return Books({p.payment_id: p for p in payments}, tuple(orders), tuple(purchases), noted)


async def known_purchases(
    database: Database, orders: Iterable[SupplierOrder | None]
) -> Sequence[KnownPurchase]:
    """What fulfillment-kinguin's database has noted for these orders of the supplier.

    Raises:
        OSError, sqlalchemy.exc.DBAPIError: it cannot be read.
    """
    found = [order for order in orders if order is not None]
    named = {
        "external_ids": [order.external_id for order in found if order.external_id],
        "order_ids": [order.order_id for order in found],
    }
    async with database.transaction() as transaction:
        return [KnownPurchase(*row) for row in await transaction.execute(_KNOWN, named)]
