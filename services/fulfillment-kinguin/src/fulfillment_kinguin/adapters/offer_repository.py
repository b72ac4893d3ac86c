"""The offers that are followed: one row a product of the catalogue, its newest version wins.

A product that is not followed any more keeps its row: an older version must not bring it back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from contracts import ProductUpdated
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_kinguin.adapters.tables import followed_offers
from fulfillment_kinguin.domain.offers import FollowedOffer, OfferFacts

_FACTS = ("price_eur", "cost_usd", "quantity", "told_at", "seen_at")


async def follow(transaction: Transaction, message: ProductUpdated, now: datetime) -> None:
    """Keep what the catalogue says; what is followed is looked at now, and told anew."""
    is_followed = message.on_sale and message.kinguin_product_id is not None
    values: dict[str, Any] = dict.fromkeys(_FACTS)
    values |= {
        "version": message.version,
        "kinguin_product_id": message.kinguin_product_id,
        "kinguin_offer_id": message.kinguin_offer_id,
        "followed_since": now,
        "due_at": now if is_followed else None,
    }
    await transaction.execute(
        insert(followed_offers)
        .values(product_id=message.product_id, **values)
        .on_conflict_do_update(
            index_elements=[followed_offers.c.product_id],
            set_=values,
            where=followed_offers.c.version < message.version,
        )
    )


async def due(transaction: Transaction, now: datetime, limit: int) -> Sequence[FollowedOffer]:
    """The offers to look at, those that wait longest first."""
    rows = await transaction.execute(
        sa.select(followed_offers)
        .where(followed_offers.c.due_at <= now)
        .order_by(followed_offers.c.due_at)
        .limit(limit)
    )
    return [_offer(row) for row in rows]


async def next_due(transaction: Transaction) -> datetime | None:
    """When the next offer is to be looked at; None while none is followed."""
    found: datetime | None = await transaction.scalar(
        sa.select(sa.func.min(followed_offers.c.due_at))
    )
    return found


async def put_off(transaction: Transaction, offer: FollowedOffer, due_at: datetime) -> bool:
    """Look at it again then; False: it was changed meanwhile, and stays due."""
    return await _update(transaction, offer, due_at=due_at)


async def seen(
    transaction: Transaction, offer: FollowedOffer, seen_at: datetime, due_at: datetime
) -> bool:
    """As `put_off`, of an offer that Kinguin has answered for."""
    return await _update(transaction, offer, due_at=due_at, seen_at=seen_at)


async def told(
    transaction: Transaction, offer: FollowedOffer, facts: OfferFacts, now: datetime
) -> None:
    """Remember what orders hears of an offer that was `seen`."""
    await transaction.execute(
        sa.update(followed_offers)
        .where(followed_offers.c.product_id == offer.product_id)
        .values(
            price_eur=facts.price_eur,
            cost_usd=facts.cost_usd,
            quantity=facts.quantity,
            told_at=now,
        )
    )


async def rests(
    transaction: Transaction, ids: Sequence[str], now: datetime, pause: timedelta
) -> bool:
    """Whether one of these products is followed, and is neither due nor just looked at."""
    found = await transaction.scalar(
        sa.select(sa.literal(1)).where(*_resting(ids, now, pause)).limit(1)
    )
    return found is not None


async def bring_forward(
    transaction: Transaction, ids: Sequence[str], now: datetime, pause: timedelta
) -> None:
    """Let those that rest be due now."""
    where = _resting(ids, now, pause)
    await transaction.execute(sa.update(followed_offers).where(*where).values(due_at=now))


def _resting(
    ids: Sequence[str], now: datetime, pause: timedelta
) -> tuple[sa.ColumnElement[bool], ...]:
    table = followed_offers.c
    return (
        table.kinguin_product_id.in_(ids),
        table.due_at > now,
        sa.or_(table.seen_at.is_(None), table.seen_at <= now - pause),
    )


async def _update(transaction: Transaction, offer: FollowedOffer, **values: Any) -> bool:
    changed = await transaction.execute(
        sa.update(followed_offers)
        .where(
            followed_offers.c.product_id == offer.product_id,
            followed_offers.c.version == offer.version,
            followed_offers.c.due_at == offer.due_at,
        )
        .values(**values)
    )
    return bool(changed.rowcount)


def _offer(row: sa.Row[Any]) -> FollowedOffer:
    was_told = row.told_at is not None
    return FollowedOffer(
        product_id=row.product_id,
        version=row.version,
        kinguin_product_id=row.kinguin_product_id,
        kinguin_offer_id=row.kinguin_offer_id,
        due_at=row.due_at,
        told=OfferFacts(row.price_eur, row.cost_usd, row.quantity) if was_told else None,
        told_at=row.told_at,
    )
