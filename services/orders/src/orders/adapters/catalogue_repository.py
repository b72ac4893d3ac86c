"""The catalogue and the rollout in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from contracts import SourceType
from foundation.clock import version_at
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from orders.adapters.offer_repository import NO_OFFER
from orders.adapters.tables import kinguin_offers, products, rollout
from orders.domain.catalogue import Product, ProductStatus
from orders.domain.offer import Offer
from orders.domain.routing import Rollout
from orders.errors import ImportRunning

_IMPORT_LOCK: Final = 20261124
"""Any constant that nothing else in this database locks."""

_IMPORT_WAIT_MS: Final = 10_000
"""Below the deadline of a statement, so that the answer says why."""

_LOCK_NOT_AVAILABLE: Final = "55P03"

_WITH_OFFER: Final = sa.select(
    products,
    kinguin_offers.c.price_eur.label("offer_price_eur"),
    kinguin_offers.c.cost_usd.label("offer_cost_usd"),
    kinguin_offers.c.quantity.label("offer_quantity"),
    kinguin_offers.c.seen_at.label("offer_seen_at"),
).outerjoin(
    kinguin_offers,
    sa.and_(
        kinguin_offers.c.kinguin_product_id == products.c.kinguin_product_id,
        kinguin_offers.c.kinguin_offer_id
        == sa.func.coalesce(products.c.kinguin_offer_id, NO_OFFER),
    ),
)
"""Products, each with what was last heard of the offer that it names."""


async def find(transaction: Transaction, product_id: UUID, *, lock: bool = False) -> Product | None:
    """The product, on sale or not."""
    query = _WITH_OFFER.where(products.c.id == product_id)
    locked = query.with_for_update(of=products) if lock else query
    row = (await transaction.execute(locked)).one_or_none()
    return None if row is None else _product(row)


async def find_many(
    transaction: Transaction, product_ids: Sequence[UUID]
) -> Mapping[UUID, Product]:
    """The products by id; unknown ids are missing."""
    rows = await transaction.execute(_WITH_OFFER.where(products.c.id.in_(product_ids)))
    return {row.id: _product(row) for row in rows}


async def search(
    transaction: Transaction,
    *,
    limit: int,
    after: tuple[str, UUID] | None = None,
    query: str | None = None,
    source_type: SourceType | None = None,
    status: ProductStatus | None = None,
) -> list[Product]:
    """Up to `limit` products by title; `query` matches each of its words in the title."""
    statement = _WITH_OFFER.order_by(products.c.title, products.c.id).limit(limit)
    for word in (query or "").split():
        statement = statement.where(products.c.title.icontains(word, autoescape=True))
    if source_type is not None:
        statement = statement.where(products.c.source_type == source_type)
    if status is not None:
        statement = statement.where(products.c.status == status)
    if after is not None:
        statement = statement.where(sa.tuple_(products.c.title, products.c.id) > sa.tuple_(*after))
    return [_product(row) for row in await transaction.execute(statement)]


async def serialise_imports(transaction: Transaction) -> None:
    """Let no other import begin until the transaction ends; wait for one that runs.

    Two that did not see each other's rows would both add what is new. No unique key says
    so: an admin may well sell two products of one title.

    Raises:
        ImportRunning: the other one takes long.
    """
    await transaction.execute(sa.text(f"SET LOCAL lock_timeout = {_IMPORT_WAIT_MS}"))
    try:
        await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(_IMPORT_LOCK)))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise ImportRunning from error
        raise


async def add(transaction: Transaction, rows: Sequence[Product]) -> None:
    """Store new products."""
    if rows:
        await transaction.execute(sa.insert(products), [_values(row) for row in rows])


async def find_matching(
    transaction: Transaction, candidates: Sequence[Product]
) -> Sequence[Product]:
    """Products that share an id, a Kinguin id or a title with any of the candidates."""
    rows = await transaction.execute(
        _WITH_OFFER.where(
            sa.or_(
                products.c.id.in_([product.id for product in candidates]),
                products.c.title.in_([product.title for product in candidates]),
                products.c.kinguin_product_id.in_(
                    [p.kinguin_product_id for p in candidates if p.kinguin_product_id]
                ),
            )
        )
    )
    return [_product(row) for row in rows]


async def save(transaction: Transaction, product: Product, now: datetime) -> Product:
    """Store a changed product as its next version, which comes back; its stock is not touched."""
    version = sa.func.greatest(products.c.version + 1, version_at(now))
    await transaction.execute(
        sa.update(products)
        .where(products.c.id == product.id)
        .values(**_values(product), version=version, updated_at=sa.func.now())
    )
    return _product(
        (await transaction.execute(_WITH_OFFER.where(products.c.id == product.id))).one()
    )


async def set_stock(transaction: Transaction, product_id: UUID, *, free: int, version: int) -> None:
    """Remember what fulfillment-custom said; an older version changes nothing."""
    await transaction.execute(
        sa.update(products)
        .where(products.c.id == product_id, products.c.stock_version < version)
        .values(free_stock=free, stock_version=version)
    )


async def get_rollout(transaction: Transaction, *, lock: bool = False) -> Rollout:
    """The stored switch; the environment's may override it."""
    query = sa.select(rollout)
    row = (await transaction.execute(query.with_for_update() if lock else query)).one()
    return Rollout(
        kinguin_enabled=row.kinguin_enabled,
        percent=row.rollout_percent,
        tester_emails=frozenset(row.tester_emails),
        version=row.version,
        stepped_at=row.stepped_at,
    )


async def save_rollout(transaction: Transaction, state: Rollout) -> None:
    """Store the switch."""
    values: dict[str, Any] = {
        "kinguin_enabled": state.kinguin_enabled,
        "rollout_percent": state.percent,
        "tester_emails": sorted(state.tester_emails),
        "version": state.version,
    }
    if state.stepped_at is not None:
        values["stepped_at"] = state.stepped_at
    await transaction.execute(
        insert(rollout)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def _values(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "title": product.title,
        "retail_price": product.retail_price,
        "currency": product.currency,
        "cost_usd": product.cost_usd,
        "status": product.status,
        "source_type": product.source_type,
        "kinguin_product_id": product.kinguin_product_id,
        "kinguin_offer_id": product.kinguin_offer_id,
        "backorder": product.backorder,
    }


def _product(row: sa.Row[Any]) -> Product:
    return Product(
        id=row.id,
        title=row.title,
        retail_price=row.retail_price,
        currency=row.currency,
        cost_usd=row.cost_usd,
        status=ProductStatus(row.status),
        source_type=SourceType(row.source_type),
        kinguin_product_id=row.kinguin_product_id,
        kinguin_offer_id=row.kinguin_offer_id,
        backorder=row.backorder,
        free_stock=row.free_stock,
        version=row.version,
        offer=_offer(row),
    )


def _offer(row: sa.Row[Any]) -> Offer | None:
    if row.offer_seen_at is None:
        return None
    return Offer(row.offer_price_eur, row.offer_cost_usd, row.offer_quantity, row.offer_seen_at)
