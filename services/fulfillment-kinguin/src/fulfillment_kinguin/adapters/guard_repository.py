"""The one row of the guards, and what the purchases have committed to be spent."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from fulfillment_kinguin.adapters.tables import purchases, supplier_guard
from fulfillment_kinguin.domain.balance import Balance
from fulfillment_kinguin.domain.guards import DAY, Breaker
from fulfillment_kinguin.domain.purchase import PurchaseState

_WITHOUT_ANSWER: Final = (PurchaseState.PLACING, PurchaseState.UNKNOWN)


async def lock(transaction: Transaction) -> Breaker:
    """The breaker, its row locked: whoever commits money next waits for us."""
    row = (await transaction.execute(sa.select(supplier_guard).with_for_update())).one()
    return Breaker(row.failures, row.first_failure_at, row.open_until)


async def save(transaction: Transaction, breaker: Breaker) -> None:
    """Store the breaker that `lock` gave, changed."""
    await transaction.execute(
        sa.update(supplier_guard).values(
            failures=breaker.failures,
            first_failure_at=breaker.first_failure_at,
            open_until=breaker.open_until,
        )
    )


async def committed_since(
    transaction: Transaction, moment: datetime, *, besides: UUID | None = None
) -> Decimal:
    """Euros committed after a moment: purchases that were or may have been placed.

    `besides` is a purchase that commits anew: what it committed before does not count twice.
    """
    return await _sum(transaction, besides, purchases.c.committed_at > moment)


async def balance(transaction: Transaction, *, besides: UUID | None = None) -> Balance | None:
    """The balance heard last, less what was committed since; None where it is not told."""
    row = (await transaction.execute(sa.select(supplier_guard))).one()
    if row.balance_eur is None:
        return None
    spent = await _not_in_the_balance(transaction, row.balance_heard_at, besides)
    return Balance(row.balance_eur - spent, row.balance_heard_at)


async def _not_in_the_balance(
    transaction: Transaction, heard_at: datetime, besides: UUID | None
) -> Decimal:
    """Euros that may have been spent after the balance was told.

    Also those of orders that were on their way then: they reach Kinguin before or after it
    counts, and until the balance is heard anew they are better taken off twice than not at all.
    """
    was_on_its_way = sa.or_(
        purchases.c.committed_at > heard_at,
        purchases.c.state.in_(_WITHOUT_ANSWER),
        purchases.c.placed_at > heard_at,
    )
    lately = purchases.c.committed_at > heard_at - DAY  # what the index is for
    return await _sum(transaction, besides, lately, was_on_its_way)


async def _sum(
    transaction: Transaction, besides: UUID | None, *conditions: sa.ColumnElement[bool]
) -> Decimal:
    query = sa.select(sa.func.sum(purchases.c.committed_eur)).where(*conditions)
    if besides is not None:
        query = query.where(purchases.c.id != besides)
    return await transaction.scalar(query) or Decimal(0)


async def save_balance(transaction: Transaction, euros: Decimal, heard_at: datetime) -> None:
    """Keep what was heard; what is on its way at `heard_at` or committed later is taken off it."""
    await transaction.execute(
        sa.update(supplier_guard).values(balance_eur=euros, balance_heard_at=heard_at)
    )
