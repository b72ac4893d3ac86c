"""Notifications in PostgreSQL, as they came, and what each caused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction
from persistence.measures import measure

from payments.adapters.metrics import IPN_EFFECTS
from payments.adapters.tables import ipns
from payments.domain.js_json import parse_json
from payments.domain.payment import PaymentFacts, read_facts
from payments.domain.progress import Decision, Effect

_WITHOUT_EFFECT = (Effect.DUPLICATE, Effect.UNKNOWN_ORDER)

_OPEN: Final[sa.Select[Any]] = sa.select(ipns.c.id, ipns.c.received_at, ipns.c.body).where(
    ipns.c.effect.is_(None)
)


@dataclass(frozen=True, slots=True)
class StoredIpn:
    """A notification that waits for its effect."""

    id: UUID
    received_at: datetime
    facts: PaymentFacts


async def add(transaction: Transaction, body: bytes, facts: PaymentFacts, at: datetime) -> UUID:
    """Keep a signed notification; its id comes back."""
    ipn_id = new_id()
    await transaction.execute(
        sa.insert(ipns).values(
            id=ipn_id,
            received_at=at,
            body=body,
            payment_id=facts.payment_id,
            order_id=facts.order_id,
            status=facts.word,
            actually_paid=facts.actually_paid,
        )
    )
    return ipn_id


async def find_open(transaction: Transaction, ipn_id: UUID) -> StoredIpn | None:
    """The notification if it still has no effect."""
    rows = await transaction.execute(_OPEN.where(ipns.c.id == ipn_id))
    row = rows.one_or_none()
    return None if row is None else _stored(row)


async def open_like(
    transaction: Transaction, ipn: StoredIpn, *, alone: bool
) -> Sequence[StoredIpn]:
    """Notifications of its payment and order that have no effect yet, as they came; or it alone."""
    is_like = sa.and_(
        ipns.c.payment_id == ipn.facts.payment_id,
        ipns.c.order_id.is_not_distinct_from(ipn.facts.order_id),
    )
    is_meant = ipns.c.id == ipn.id if alone else is_like
    rows = await transaction.execute(_OPEN.where(is_meant).order_by(ipns.c.id))
    return [_stored(row) for row in rows]


async def open_of_order(transaction: Transaction, order_id: UUID) -> Sequence[UUID]:
    """Notifications about this order that wait for it."""
    query = sa.select(ipns.c.id).where(ipns.c.order_id == order_id, ipns.c.effect.is_(None))
    return list(await transaction.scalars(query.order_by(ipns.c.id)))


async def has_twin(transaction: Transaction, facts: PaymentFacts) -> bool:
    """Whether the same news had their effect already: payment, status and paid amount."""
    found = await transaction.scalar(
        sa.select(ipns.c.id)
        .where(
            ipns.c.payment_id == facts.payment_id,
            ipns.c.status == facts.word,
            ipns.c.actually_paid == facts.actually_paid,
            ipns.c.effect.not_in(_WITHOUT_EFFECT),
        )
        .limit(1)
    )
    return found is not None


async def conclude(transaction: Transaction, ipn_id: UUID, decision: Decision) -> None:
    """Store what a notification caused, or why nothing."""
    await transaction.execute(
        sa.update(ipns)
        .where(ipns.c.id == ipn_id)
        .values(effect=decision.effect, reason=decision.reason)
    )
    measure(transaction, IPN_EFFECTS, effect=decision.effect)


def _stored(row: sa.Row[Any]) -> StoredIpn:
    return StoredIpn(row.id, row.received_at, read_facts(parse_json(row.body)))
