"""Place an order: prices and routes from the catalogue, frozen in its lines."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import SourceType
from foundation.clock import Clock, new_id
from foundation.crash import crash_point
from persistence.database import Database, Transaction
from sqlalchemy.dialects.postgresql import insert

from orders.adapters import catalogue_repository, order_repository
from orders.adapters.publish_order_placed import publish_order_placed
from orders.adapters.tables import idempotency_keys
from orders.domain.catalogue import Product, ProductStatus, is_sold_out
from orders.domain.offer import OfferRules
from orders.domain.order import Change, Line, Order
from orders.domain.routing import Rollout, route
from orders.domain.states import LineStatus, OrderStatus, ReservationStatus
from orders.errors import CannotPlace, IdempotencyConflict, SoldOut, UnknownProduct


@dataclass(frozen=True, slots=True)
class Item:
    """What the customer asks for: never a price."""

    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Placing:
    """A valid request to place an order."""

    email: str
    items: Sequence[Item]
    idempotency_key: str | None = None

    @property
    def fingerprint(self) -> str:
        """A hash that tells two requests apart."""
        body = [self.email, [[str(item.product_id), item.quantity] for item in self.items]]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PlacingRules:
    """Limits from the settings."""

    minimum_total: Decimal
    payment_window: timedelta
    kinguin_enabled: bool
    kinguin_sells_one_key_a_line: bool
    offers: OfferRules


class PlaceOrder:
    """Takes an order, once an idempotency key."""

    def __init__(self, database: Database, clock: Clock, rules: PlacingRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    async def __call__(self, placing: Placing) -> Order:
        """The new order, or the one that was placed with this key.

        Raises:
            UnknownProduct, SoldOut, CannotPlace, IdempotencyConflict: nothing was placed.
        """
        async with self._database.transaction() as transaction:
            order_id = new_id()
            known = await _claim_key(transaction, placing, order_id)
            if known is not None:
                return await _as_placed(transaction, known)
            order = await self._draft(transaction, placing, order_id)
            await order_repository.add(transaction, order)
            await publish_order_placed(transaction, order, order.placed_at)
            crash_point("orders.before_commit")
        crash_point("orders.after_commit")
        return order

    async def _draft(self, transaction: Transaction, placing: Placing, order_id: UUID) -> Order:
        now = self._clock.now()
        ids = [item.product_id for item in placing.items]
        products = await catalogue_repository.find_many(transaction, ids)
        stored = await catalogue_repository.get_rollout(transaction)
        rollout = effective(stored, kinguin_enabled=self._rules.kinguin_enabled)
        lines = [_line(item, products, rollout, placing.email) for item in placing.items]
        self._refuse_oversold(lines, products, now)
        order = Order(
            id=order_id,
            email=placing.email,
            currency=_one_currency(products.values()),
            placed_at=now,
            expires_at=now + self._rules.payment_window,
            lines=lines,
            reservation=_needed_reservation(lines),
            changes=[Change(None, now, OrderStatus.PLACED.value)],
        )
        self._refuse_unsellable(order)
        return order

    def _refuse_oversold(
        self, lines: Sequence[Line], products: Mapping[UUID, Product], now: datetime
    ) -> None:
        for line in lines:
            product = products[line.product_id]
            asked = sum(other.quantity for other in lines if other.product_id == line.product_id)
            if is_sold_out(product, line.source_type, asked, self._rules.offers, now):
                raise SoldOut(line.title)

    def _refuse_unsellable(self, order: Order) -> None:
        if order.total.amount < self._rules.minimum_total:
            minimum = f"{self._rules.minimum_total} {order.currency}"
            raise CannotPlace("items", f"the total is below {minimum}, the least we can bill")
        for position, line in enumerate(order.lines):
            is_many = line.source_type is SourceType.KINGUIN and line.quantity > 1
            if is_many and self._rules.kinguin_sells_one_key_a_line:
                raise CannotPlace(f"items.{position}.quantity", "only one of this can be ordered")


def effective(stored: Rollout, *, kinguin_enabled: bool) -> Rollout:
    """The stored switch, unless the environment overrides it with false."""
    return replace(stored, kinguin_enabled=stored.kinguin_enabled and kinguin_enabled)


async def _claim_key(transaction: Transaction, placing: Placing, order_id: UUID) -> UUID | None:
    """Take the idempotency key for this order; the id it already stands for, if any.

    A second request with the key at the same moment waits here for the first.
    """
    if placing.idempotency_key is None:
        return None
    claimed = await transaction.scalar(
        insert(idempotency_keys)
        .values(key=placing.idempotency_key, request_hash=placing.fingerprint, order_id=order_id)
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.order_id)
    )
    if claimed is not None:
        return None
    row = await _claimed(transaction, placing.idempotency_key)
    if row is None:  # it ended its life between the two statements
        return await _claim_key(transaction, placing, order_id)
    if row.request_hash != placing.fingerprint:
        raise IdempotencyConflict
    known: UUID = row.order_id
    return known


async def _claimed(transaction: Transaction, key: str) -> sa.Row[Any] | None:
    query = sa.select(idempotency_keys).where(idempotency_keys.c.key == key)
    return (await transaction.execute(query)).one_or_none()


async def _as_placed(transaction: Transaction, order_id: UUID) -> Order:
    """The order as the first answer showed it, whatever became of it since."""
    order = await order_repository.read(transaction, order_id)
    order.status = OrderStatus.PLACED
    order.lines = [line for line in order.lines if line.replaces is None]
    for line in order.lines:
        line.status, line.delivery = LineStatus.WAITING, None
    return order


def _line(item: Item, products: Mapping[UUID, Product], rollout: Rollout, email: str) -> Line:
    product = products.get(item.product_id)
    if product is None or product.status is not ProductStatus.ACTIVE:
        raise UnknownProduct(item.product_id)
    return Line(
        id=new_id(),
        product_id=product.id,
        title=product.title,
        quantity=item.quantity,
        unit_price=product.retail_price,
        source_type=route(product.source_type, product.id, rollout, email),
        backorder=product.backorder,
        kinguin_product_id=product.kinguin_product_id,
        kinguin_offer_id=product.kinguin_offer_id,
    )


def _needed_reservation(lines: Sequence[Line]) -> ReservationStatus:
    """Keys of own stock are held before the order can be paid; Kinguin's are bought after."""
    is_needed = any(line.source_type is SourceType.CUSTOM for line in lines)
    return ReservationStatus.ASKED if is_needed else ReservationStatus.NONE


def _one_currency(products: Iterable[Product]) -> str:
    currencies = {product.currency for product in products}
    if len(currencies) != 1:
        raise CannotPlace("items", "these products are sold in different currencies")
    return currencies.pop()
