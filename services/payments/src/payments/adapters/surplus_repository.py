"""Surpluses that are worth too little to be sent back, noted once a payment.

Changed under the lock of the order's invoice row. One that grows and is owed back after all
is no note any more: it is either here or among the refundables.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from payments.adapters.tables import noted_surpluses, refundables
from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts

_WORTH_DIGITS: Final = Decimal("0.00000001")
"""As many as prices have in the database of orders."""


async def note(
    transaction: Transaction,
    invoice: Invoice,
    facts: PaymentFacts,
    amount: Decimal,
    worth: Decimal,
    at: datetime,
) -> None:
    """Note what a payment has too much, the greatest amount heard of."""
    row = insert(noted_surpluses).values(
        payment_id=facts.payment_id,
        order_id=invoice.order_id,
        amount=amount,
        currency=facts.pay_currency,
        worth=worth.quantize(_WORTH_DIGITS),
        worth_currency=invoice.price.currency,
        noted_at=at,
    )
    await transaction.execute(
        row.on_conflict_do_update(
            index_elements=[noted_surpluses.c.payment_id],
            set_={"amount": row.excluded.amount, "worth": row.excluded.worth},
            where=noted_surpluses.c.amount < row.excluded.amount,
        )
    )


async def forget(transaction: Transaction, payment_id: str) -> None:
    """It is owed back now."""
    await transaction.execute(
        sa.delete(noted_surpluses).where(noted_surpluses.c.payment_id == payment_id)
    )


async def is_owed(transaction: Transaction, payment_id: str) -> bool:
    """Whether some of this payment is owed back already: then more of it is, too."""
    query = sa.select(refundables.c.payment_id).where(refundables.c.payment_id == payment_id)
    return await transaction.scalar(query) is not None
