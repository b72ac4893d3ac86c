"""Payments in PostgreSQL: the furthest news of each, and what each is worth.

All of it is changed under the lock of the order's invoice row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import new_id
from persistence.database import Transaction
from persistence.measures import measure
from sqlalchemy.dialects.postgresql import insert

from payments.adapters.history import Change, remember
from payments.adapters.metrics import VERDICTS
from payments.adapters.tables import acceptances, confirmations, payments, refundables
from payments.domain.payment import RANKS, PaymentFacts, PaymentStatus
from payments.domain.progress import KnownPayment
from payments.domain.verdict import Judgement, Verdict

_KNOWN = (
    sa.select(
        payments,
        # The refundable of a payment that pays its order is only what it has too much.
        sa.and_(
            refundables.c.payment_id.is_not(None),
            confirmations.c.payment_id.is_(None),
            acceptances.c.payment_id.is_(None),
        ).label("is_refundable"),
    )
    .outerjoin(refundables, refundables.c.payment_id == payments.c.payment_id)
    .outerjoin(confirmations, confirmations.c.payment_id == payments.c.payment_id)
    .outerjoin(acceptances, acceptances.c.payment_id == payments.c.payment_id)
    .order_by(payments.c.id)
)


async def of_order(transaction: Transaction, order_id: UUID) -> Sequence[KnownPayment]:
    """Every payment of an order, the first that was heard of first."""
    rows = await transaction.execute(_KNOWN.where(payments.c.order_id == order_id))
    return [_known(row) for row in rows]


async def order_of(transaction: Transaction, payment_id: str) -> UUID | None:
    """The order a payment belongs to, or None for an unknown payment."""
    found: UUID | None = await transaction.scalar(
        sa.select(payments.c.order_id).where(payments.c.payment_id == payment_id)
    )
    return found


async def save(
    transaction: Transaction,
    order_id: UUID,
    facts: PaymentFacts,
    status: PaymentStatus,
    at: datetime,
) -> None:
    """Store news that are further than what was known."""
    news = {
        "status": status,
        "rank": RANKS[status],
        "price_amount": facts.price_amount,
        "price_currency": facts.price_currency,
        "pay_amount": facts.pay_amount,
        "actually_paid": facts.actually_paid,
        "outcome_amount": facts.outcome_amount,
        "outcome_currency": facts.outcome_currency,
        "purchase_id": facts.purchase_id,
        "updated_at": at,
    }
    row = insert(payments).values(
        payment_id=facts.payment_id,
        id=new_id(),
        order_id=order_id,
        invoice_id=facts.invoice_id,
        parent_payment_id=facts.parent_payment_id,
        pay_currency=facts.pay_currency,
        first_seen_at=at,
        **news,
    )
    # The first coin and the first parent stay: another coin later is another asset.
    kept = {
        name: sa.func.coalesce(payments.c[name], row.excluded[name])
        for name in ("invoice_id", "parent_payment_id", "pay_currency")
    }
    await transaction.execute(
        row.on_conflict_do_update(index_elements=[payments.c.payment_id], set_=news | kept)
    )


async def record(
    transaction: Transaction,
    order_id: UUID,
    facts: PaymentFacts,
    *,
    at: datetime,
    source: str,
    reason: str | None,
) -> None:
    """Add a change of a payment to the history."""
    change = Change(order_id, at, facts.word, source, reason, facts.payment_id, facts.actually_paid)
    await remember(transaction, change)


async def judged(
    transaction: Transaction, payment_id: str, judgement: Judgement, at: datetime
) -> None:
    """Store what a payment is worth."""
    is_confirmed = judgement.verdict is Verdict.CONFIRMED
    await transaction.execute(
        sa.update(payments)
        .where(payments.c.payment_id == payment_id)
        .values(
            verdict=judgement.verdict,
            verdict_reason=judgement.reason,
            confirmed_at=sa.func.coalesce(payments.c.confirmed_at, at if is_confirmed else None),
        )
    )
    measure(transaction, VERDICTS, verdict=judgement.verdict)


async def settle_order(
    transaction: Transaction, order_id: UUID, payment_id: str, at: datetime
) -> bool:
    """Let this payment be the one that pays the order; False when one has already."""
    added = await transaction.scalar(
        insert(confirmations)
        .values(order_id=order_id, payment_id=payment_id, confirmed_at=at)
        .on_conflict_do_nothing()
        .returning(confirmations.c.order_id)
    )
    return added is not None


async def accept(transaction: Transaction, order_id: UUID, payment_id: str, at: datetime) -> None:
    """Let this part payment be the one that pays the order, by an admin's word."""
    await transaction.execute(
        sa.insert(acceptances).values(order_id=order_id, payment_id=payment_id, accepted_at=at)
    )


@dataclass(frozen=True, slots=True)
class Owed:
    """Money of a payment that fulfils nothing."""

    amount: Decimal
    currency: str | None
    reason: str


async def refundable(transaction: Transaction, payment_id: str) -> Owed | None:
    """What is owed back of a payment, if anything is."""
    query = sa.select(refundables).where(refundables.c.payment_id == payment_id)
    row = (await transaction.execute(query)).one_or_none()
    return None if row is None else Owed(row.amount, row.currency, row.reason)


async def owe_back(
    transaction: Transaction, order_id: UUID, facts: PaymentFacts, reason: str, at: datetime
) -> bool:
    """Note money that fulfils nothing; False when that much of it was noted before."""
    return await owe_amount_back(transaction, order_id, facts, facts.actually_paid, reason, at)


async def owe_amount_back(
    transaction: Transaction,
    order_id: UUID,
    facts: PaymentFacts,
    amount: Decimal,
    reason: str,
    at: datetime,
) -> bool:
    """As `owe_back`, for a part of a payment."""
    return await _owe(
        transaction,
        payment_id=facts.payment_id,
        order_id=order_id,
        amount=amount,
        currency=facts.pay_currency,
        reason=reason,
        noted_at=at,
    )


async def owe_known_back(
    transaction: Transaction, order_id: UUID, known: KnownPayment, reason: str, at: datetime
) -> bool:
    """As `owe_back`, for a payment as we have it."""
    return await _owe(
        transaction,
        payment_id=known.payment_id,
        order_id=order_id,
        amount=known.actually_paid,
        currency=known.pay_currency,
        reason=reason,
        noted_at=at,
    )


async def _owe(transaction: Transaction, **values: Any) -> bool:
    row = insert(refundables).values(**values)
    changed = await transaction.scalar(
        row.on_conflict_do_update(
            index_elements=[refundables.c.payment_id],
            set_={"amount": row.excluded.amount},
            where=refundables.c.amount < row.excluded.amount,
        ).returning(refundables.c.payment_id)
    )
    return changed is not None


def _known(row: sa.Row[Any]) -> KnownPayment:
    paid: Decimal = row.actually_paid
    return KnownPayment(
        payment_id=row.payment_id,
        status=PaymentStatus(row.status),
        actually_paid=paid,
        pay_amount=row.pay_amount,
        pay_currency=row.pay_currency,
        parent_payment_id=row.parent_payment_id,
        verdict=Verdict(row.verdict) if row.verdict else None,
        is_refundable=row.is_refundable,
    )
