"""Notifications in PostgreSQL, as they came, and what each caused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class StoredIpn:
    """A notification that waits for its effect."""

    id: UUID
    received_at: datetime
    facts: PaymentFacts


async def add(transaction: Transaction, body: bytes, facts: PaymentFacts, at: datetime) -> None:
    """Keep a signed notification."""
    await transaction.execute(
        sa.insert(ipns).values(
            id=new_id(),
            received_at=at,
            body=body,
            payment_id=facts.payment_id,
            order_id=facts.order_id,
            status=facts.word,
            actually_paid=facts.actually_paid,
        )
    )


async def open_of_payment(transaction: Transaction, payment_id: str) -> Sequence[StoredIpn]:
    """Notifications of a payment that have no effect yet, as they came."""
    query = sa.select(ipns.c.id, ipns.c.received_at, ipns.c.body).where(
        ipns.c.payment_id == payment_id, ipns.c.effect.is_(None)
    )
    rows = await transaction.execute(query.order_by(ipns.c.id))
    return [StoredIpn(id_, at, read_facts(parse_json(body))) for id_, at, body in rows]


async def waiting_for(transaction: Transaction, order_id: UUID) -> Sequence[str]:
    """Payments of which notifications wait for this order."""
    query = sa.select(ipns.c.payment_id).where(ipns.c.order_id == order_id, ipns.c.effect.is_(None))
    return list(await transaction.scalars(query.distinct().order_by(ipns.c.payment_id)))


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
