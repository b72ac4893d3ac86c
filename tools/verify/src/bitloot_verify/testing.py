"""One delivered order of each source, as the services leave them, written with plain SQL.

Plain SQL on purpose: the checker must not share the code that it judges. Models of one service
have its check alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Database

from bitloot_verify import rows
from bitloot_verify.check import Findings, judge
from bitloot_verify.reading import Ledgers, Reading, read_databases
from bitloot_verify.sources import Sources

SERVICES: Final = ("payments", "orders", "fulfillment-custom", "fulfillment-kinguin", "delivery")
EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


async def findings_in_kinguin(
    database: Database, stock: Iterable[str], supplier_orders: Sequence[Mapping[str, Any]]
) -> Findings:
    """What is wrong in fulfillment-kinguin alone, with the fingerprints that it gave to stock.

    What needs another service's rows finds nothing, or too much, and no job is ever late.
    """
    tables = await read_databases({"fulfillment-kinguin": database}, EPOCH)
    kept = [
        rows.StockKey(new_id(), new_id(), fingerprint, "return", "free", None, None)
        for fingerprint in stock
    ]
    ledgers = Ledgers((), supplier_orders)
    return judge(Reading(EPOCH, {**tables, rows.StockKey: kept}, ledgers=ledgers))


@dataclass
class HealthyShop:
    """The ids of what was sold, and the books of the outside world."""

    sources: Sources
    custom_order: UUID = field(default_factory=new_id)
    custom_line: UUID = field(default_factory=new_id)
    kinguin_order: UUID = field(default_factory=new_id)
    kinguin_line: UUID = field(default_factory=new_id)
    product: UUID = field(default_factory=new_id)
    stock_key: UUID = field(default_factory=new_id)
    purchase: UUID = field(default_factory=new_id)
    deliveries: dict[UUID, UUID] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    gateway_payments: list[dict[str, Any]] = field(default_factory=list)
    supplier_orders: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    async def open(cls, sources: Sources) -> "HealthyShop":
        """Sell and deliver one key of each source."""
        shop = cls(sources)
        for order, line, source in (
            (shop.custom_order, shop.custom_line, "custom"),
            (shop.kinguin_order, shop.kinguin_line, "kinguin"),
        ):
            await shop._order(order, line, source)
            await shop._pay(order)
            await shop._deliver(order, line, source)
        await shop._stock()
        await shop._buy()
        return shop

    async def run(self, service: str, sql: str, **values: object) -> None:
        """Change the database of a service."""
        async with self.sources.databases[service].transaction() as transaction:
            await transaction.execute(sa.text(sql), values)

    async def read(self, since: datetime = EPOCH) -> Reading:
        """A reading with the bucket and the ledgers as this shop knows them."""
        reading = await self.sources.read(since)
        ledgers = Ledgers(self.gateway_payments, self.supplier_orders)
        return replace(reading, objects=frozenset(self.objects), ledgers=ledgers)

    async def violations(self) -> Mapping[int, list[str]]:
        """What one reading shows, by number; numbers without findings are left out."""
        findings = judge(await self.read())
        return {n: sorted(f.says for f in found) for n, found in findings.items() if found}

    async def _order(self, order: UUID, line: UUID, source: str) -> None:
        await self.run(
            "orders",
            "INSERT INTO orders (id, email, currency, total, source_type, status, money,"
            " cancelled, late, attention, placed_at, expires_at) VALUES (:id, 'b@example.org',"
            " 'USD', 9.99, :source, 'fulfilled', 'paid', false, false, '{}', now(), now())",
            id=order,
            source=source,
        )
        await self.run(
            "orders",
            "INSERT INTO order_items (id, order_id, position, product_id, title, quantity,"
            " unit_price, product_source_type, backorder, status) VALUES (:id, :order, 1,"
            " :product, 'Game', 1, 9.99, :source, true, 'delivered')",
            id=line,
            order=order,
            product=self.product,
            source=source,
        )
        for status in ("requested", "stored", "delivered"):
            await self.run(
                "orders",
                "INSERT INTO order_history (order_id, item_id, at, status)"
                " VALUES (:order, :line, now(), :status)",
                order=order,
                line=line,
                status=status,
            )

    async def _pay(self, order: UUID) -> None:
        payment = str(order.int)[-12:]
        await self.run(
            "payments",
            "INSERT INTO invoices (order_id, price_amount, price_currency, description,"
            " placed_at, expires_at, state) VALUES (:order, 9.99, 'USD', 'Game', now(), now(),"
            " 'settled')",
            order=order,
        )
        await self.run(
            "payments",
            "INSERT INTO payments (payment_id, id, order_id, status, rank, actually_paid,"
            " first_seen_at, updated_at) VALUES (:payment, :id, :order, 'finished', 7, 0.01,"
            " now(), now())",
            payment=payment,
            id=new_id(),
            order=order,
        )
        await self.run(
            "payments",
            "INSERT INTO confirmations VALUES (:order, :payment, now())",
            order=order,
            payment=payment,
        )
        await self.run(
            "payments",
            "INSERT INTO ipns (id, received_at, body, payment_id, order_id, status,"
            " actually_paid, effect) VALUES (:id, now(), '', :payment, :order, 'finished', 0.01,"
            " 'confirming')",
            id=new_id(),
            payment=payment,
            order=order,
        )
        self.gateway_payments.append(
            {"payment_id": payment, "order_id": str(order), "payment_status": "finished"}
        )

    async def _deliver(self, order: UUID, line: UUID, source: str) -> None:
        delivery = self.deliveries[line] = new_id()
        self.objects.add(f"keys/{delivery}")
        await self.run(
            "delivery",
            "INSERT INTO deliveries (id, line_id, order_id, product_id, title, source_type,"
            " lines_in_order, buyer, fingerprints, state, version, link_version, reveals_used,"
            " was_revealed, ready_at, object_key, checksum) VALUES (:id, :line, :order, :product,"
            " 'Game', :source, 1, '{}', ARRAY[:fingerprint], 'mailed', 2, 1, 1, true, now(),"
            " :object, 'c')",
            id=delivery,
            line=line,
            order=order,
            product=self.product,
            source=source,
            fingerprint=f"fingerprint-{source}",
            object=f"keys/{delivery}",
        )
        await self.run(
            "delivery",
            "INSERT INTO reveal_log VALUES (:id, :delivery, now(), 'link', 'browser', 4)",
            id=new_id(),
            delivery=delivery,
        )
        await self.run(
            "delivery",
            "INSERT INTO mails (id, about, kind, message_id, dated_at, recipient, state)"
            " VALUES (:id, :about, 'keys', :message_id, now(), '{}', 'sent')",
            id=new_id(),
            about=str(order),
            message_id=f"<{delivery}@shop>",
        )

    async def _stock(self) -> None:
        service = "fulfillment-custom"
        await self.run(service, "INSERT INTO stock_levels VALUES (:p, 1)", p=self.product)
        await self.run(
            service,
            "INSERT INTO uploads VALUES (:id, now(), 'admin', :product, 1, 0, 0)",
            id=new_id(),
            product=self.product,
        )
        await self.run(
            service,
            "INSERT INTO stock_keys (id, product_id, fingerprint, media_type, sealed, origin,"
            " state) VALUES (:id, :product, 'fingerprint-custom', 'text/plain', '{}', 'upload',"
            " 'assigned')",
            id=self.stock_key,
            product=self.product,
        )
        await self.run(
            service,
            "INSERT INTO lines (id, order_id, product_id, title, quantity, lines_in_order, buyer,"
            " backorder, state) VALUES (:id, :order, :product, 'Game', 1, 1, '{}', true,"
            " 'assigned')",
            id=self.custom_line,
            order=self.custom_order,
            product=self.product,
        )
        await self.run(
            service,
            "INSERT INTO assignments VALUES (:key, :line, 1, now())",
            key=self.stock_key,
            line=self.custom_line,
        )

    async def _buy(self) -> None:
        service = "fulfillment-kinguin"
        await self.run(
            service,
            "INSERT INTO lines (id, order_id, product_id, title, quantity, kinguin_product_id,"
            " highest_unit_price, highest_currency, lines_in_order, buyer, state, requested_at)"
            " VALUES (:id, :order, :product, 'Game', 1, 'k', 9, 'USD', 1, '{}', 'ready', now())",
            id=self.kinguin_line,
            order=self.kinguin_order,
            product=self.product,
        )
        await self.buy_again(self.purchase, attempt=1)
        before = None
        for state in ("planned", "placing", "placed", "keys_ready"):
            await self.run(
                service,
                "INSERT INTO purchase_history (purchase_id, at, from_state, to_state)"
                " VALUES (:purchase, now(), :before, :state)",
                purchase=self.purchase,
                before=before,
                state=state,
            )
            before = state
        await self.run(
            service,
            "INSERT INTO purchase_keys VALUES (:id, :purchase, 'k1', 'fingerprint-kinguin',"
            " 'text/plain', '{}', now())",
            id=new_id(),
            purchase=self.purchase,
        )

    async def buy_again(self, purchase: UUID, *, attempt: int) -> None:
        """One more purchase of the Kinguin line, in our books and in the supplier's."""
        external_id = f"{self.kinguin_line}-{attempt}"
        await self.run(
            "fulfillment-kinguin",
            "INSERT INTO purchases (id, line_id, attempt, external_id, state, quantity, posts,"
            " kinguin_reservation_id, created_at, updated_at) VALUES (:id, :line, :attempt,"
            " :external_id, 'keys_ready', 1, 1, :order, now(), now())",
            id=purchase,
            line=self.kinguin_line,
            attempt=attempt,
            external_id=external_id,
            order=f"S{attempt}",
        )
        self.supplier_orders.append(
            {"order_id": f"S{attempt}", "external_id": external_id, "status": "completed"}
        )
