"""One reading: what all databases, the bucket and the ledgers hold at about one moment.

Each database is read in one read-only transaction. The databases are not read at the same
moment, so a message on its way shows as a difference: only what two readings show counts.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Database
from sqlalchemy.ext.asyncio import AsyncConnection

from bitloot_verify import rows

R = TypeVar("R")

_SQL: Final[dict[str, dict[type, str]]] = {
    "orders": {
        rows.Order: "SELECT id, currency, total, status, money, cancelled, attention, placed_at,"
        " payment_id FROM orders WHERE id >= :first",
        rows.Item: "SELECT id, order_id, product_id, quantity, unit_price, product_source_type,"
        " status, cancellation, replaces FROM order_items WHERE order_id >= :first",
        rows.ItemStep: "SELECT item_id, status FROM order_history"
        " WHERE item_id IS NOT NULL AND order_id >= :first ORDER BY seq",
        rows.AuditEntry: "SELECT action, subject FROM audit_log",
        rows.Refund: "SELECT order_id, item_id, payment_id, amount, state FROM refunds"
        " WHERE order_id >= :first",
        rows.BadKeyCase: "SELECT id, item_id, state FROM bad_key_cases WHERE order_id >= :first",
        rows.Rollout: "SELECT version FROM rollout",
        rows.RolloutChange: "SELECT (before->>'version')::bigint, (after->>'version')::bigint"
        " FROM audit_log WHERE action = 'rollout.changed'",
    },
    "payments": {
        rows.Invoice: "SELECT order_id, price_amount, price_currency, state FROM invoices"
        " WHERE order_id >= :first",
        rows.Payment: "SELECT payment_id, order_id, status, actually_paid, verdict,"
        " verdict_reason, pay_amount FROM payments WHERE order_id >= :first",
        rows.Confirmation: "SELECT order_id, payment_id FROM confirmations"
        " WHERE order_id >= :first",
        rows.Acceptance: "SELECT order_id, payment_id FROM acceptances WHERE order_id >= :first",
        rows.NotedSurplus: "SELECT payment_id, amount FROM noted_surpluses",
        rows.Refundable: "SELECT payment_id, order_id, amount FROM refundables",
        rows.Ipn: "SELECT id, received_at, effect FROM ipns WHERE received_at >= :since",
    },
    "fulfillment-custom": {
        rows.CustomLine: "SELECT id, order_id, quantity, state FROM lines WHERE order_id >= :first",
        rows.StockKey: "SELECT k.id, product_id, fingerprint, origin, state, line_id, reserved_for"
        " FROM stock_keys k LEFT JOIN assignments ON key_id = k.id",
        rows.Upload: "SELECT product_id, sum(added)::int FROM uploads GROUP BY 1",
    },
    "fulfillment-kinguin": {
        rows.KinguinLine: "SELECT id, order_id, quantity, state FROM lines"
        " WHERE order_id >= :first",
        rows.Purchase: "SELECT p.id, line_id, external_id, p.state, posts,"
        " kinguin_reservation_id, return_taken FROM purchases p"
        " JOIN lines l ON l.id = line_id WHERE order_id >= :first",
        rows.PurchaseStep: "SELECT purchase_id, from_state, to_state FROM purchase_history h"
        " JOIN purchases p ON p.id = purchase_id JOIN lines l ON l.id = line_id"
        " WHERE order_id >= :first ORDER BY h.seq",
        rows.BoughtKey: "SELECT purchase_id, fingerprint FROM purchase_keys"
        " JOIN purchases p ON p.id = purchase_id JOIN lines l ON l.id = line_id"
        " WHERE order_id >= :first",
    },
    "delivery": {
        rows.Delivery: "SELECT id, line_id, order_id, fingerprints, state, was_revealed,"
        " reveals_used, ready_at, object_key, checksum FROM deliveries WHERE order_id >= :first",
        rows.Mail: "SELECT id, about, kind, state FROM mails"
        ' WHERE about COLLATE "C" >= CAST(CAST(:first AS uuid) AS text)',
        rows.Reveals: "SELECT delivery_id, count(*)::int FROM reveal_log GROUP BY 1",
        rows.NamedObject: "SELECT object_key FROM deliveries WHERE object_key IS NOT NULL",
    },
}
"""What belongs to an order is read by the order's age, whenever it was written: else the order at
the edge of the window would be judged by half its rows. `:first` is the least id of that age."""
_EVERYWHERE: Final[dict[type, str]] = {
    rows.Job: "SELECT CAST(:service AS text), kind, subject, due_at, lease_until FROM jobs",
    rows.DeadLetter: "SELECT CAST(:service AS text), id FROM dead_letters"
    " WHERE given_up_at IS NULL",
}
SERVICES: Final = tuple(_SQL)


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The simulators' own books, in tests: what was really paid and really bought."""

    gateway_payments: Sequence[Mapping[str, Any]]
    supplier_orders: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """Everything that was read; `objects` and `ledgers` are None when nobody asked them."""

    at: datetime
    tables: Mapping[type, Sequence[Any]]
    objects: frozenset[str] | None = None
    ledgers: Ledgers | None = None
    _by_id: dict[type, dict[UUID, Any]] = field(default_factory=dict, compare=False)

    def all(self, row: type[R]) -> Sequence[R]:
        """Every row of one type."""
        return self.tables.get(row, ())

    def by_id(self, row: type[R]) -> Mapping[UUID, R]:
        """The rows of one type by their `id`."""
        if row not in self._by_id:
            self._by_id[row] = {entry.id: entry for entry in self.tables.get(row, ())}
        return self._by_id[row]

    def orders_with_money(self) -> frozenset[UUID]:
        """Orders whose money was confirmed, or accepted by an admin on record."""
        confirmed = (confirmation.order_id for confirmation in self.all(rows.Confirmation))
        return self.accepted_orders() | frozenset(confirmed)

    def accepted_orders(self) -> frozenset[UUID]:
        """Orders whose part payment an admin accepted, on record."""
        return frozenset(
            UUID(entry.subject)
            for entry in self.all(rows.AuditEntry)
            if entry.action == "order.accept_underpaid"
        )


async def read_databases(
    databases: Mapping[str, Database], since: datetime
) -> Mapping[type, Sequence[Any]]:
    """The rows of all services since a moment; the databases side by side.

    Raises:
        OSError, sqlalchemy.exc.DBAPIError: a database cannot be read.
    """
    parts = await asyncio.gather(
        *(_read(service, database, since) for service, database in databases.items())
    )
    tables: dict[type, list[Any]] = {}
    for part in parts:
        for row, found in part.items():
            tables.setdefault(row, []).extend(found)
    return tables


async def _read(service: str, database: Database, since: datetime) -> dict[type, list[Any]]:
    arguments = {"since": since, "first": _first_id(since), "service": service}
    async with _snapshot(database) as connection:
        return {
            row: [row(*found) for found in await connection.execute(sa.text(sql), arguments)]
            for row, sql in (_SQL[service] | _EVERYWHERE).items()
        }


def _first_id(since: datetime) -> UUID:
    """The least UUIDv7 of a moment: its first 48 bits are milliseconds (RFC 9562, section 5.7)."""
    return UUID(int=max(0, int(since.timestamp() * 1000)) << 80)


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.engine.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        yield connection
