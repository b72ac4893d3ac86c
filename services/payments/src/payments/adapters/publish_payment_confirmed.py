"""Publish `payment.confirmed`."""

from datetime import datetime

from contracts import CoinAmount, PaymentConfirmed
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts


async def publish_payment_confirmed(
    transaction: Transaction, invoice: Invoice, facts: PaymentFacts, now: datetime
) -> None:
    """Tell orders that the money is in; the caller makes sure that it is told once."""
    await emit(
        transaction,
        PaymentConfirmed(
            id=new_id(),
            occurred_at=now,
            order_id=invoice.order_id,
            payment_id=facts.payment_id,
            price=invoice.price,
            paid=CoinAmount(amount=facts.actually_paid, currency=facts.pay_currency or ""),
        ),
    )
