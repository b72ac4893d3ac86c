"""The one row of the guards, and what the purchases have committed to be spent."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from persistence.database import Transaction

from fulfillment_kinguin.adapters.tables import purchases, supplier_guard
from fulfillment_kinguin.domain.balance import Balance
from fulfillment_kinguin.domain.guards import Breaker


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


async def committed_since(transaction: Transaction, moment: datetime) -> Decimal:
    """Euros committed after a moment: purchases that were or may have been placed."""
    total = await transaction.scalar(
        sa.select(sa.func.sum(purchases.c.committed_eur)).where(purchases.c.committed_at > moment)
    )
    return total or Decimal(0)


async def balance(transaction: Transaction) -> Balance | None:
    """The balance heard last, less what was committed since; None where it is not told."""
    row = (await transaction.execute(sa.select(supplier_guard))).one()
    if row.balance_eur is None:
        return None
    spent = await committed_since(transaction, row.balance_heard_at)
    return Balance(row.balance_eur - spent, row.balance_heard_at)


async def save_balance(transaction: Transaction, euros: Decimal, heard_at: datetime) -> None:
    """Keep what was heard; what is committed after `heard_at` is taken off it."""
    await transaction.execute(
        sa.update(supplier_guard).values(balance_eur=euros, balance_heard_at=heard_at)
    )
