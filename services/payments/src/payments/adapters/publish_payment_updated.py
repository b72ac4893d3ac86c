"""Publish `payment.updated`."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts import CoinAmount, PaymentState, PaymentUpdated, Refundable
from foundation.clock import new_id
from persistence.database import Transaction
from servicekit.outbox import emit

from payments.adapters import invoice_repository
from payments.domain.invoice import Invoice
from payments.domain.payment import PaymentFacts
from payments.domain.progress import KnownPayment

_MORE: Final = PaymentState.MORE_MONEY


@dataclass(frozen=True, slots=True)
class Report:
    """What orders is to hear about an order, and about which payment of it."""

    state: PaymentState
    reason: str | None = None
    payment_id: str | None = None
    asked: CoinAmount | None = None
    paid: CoinAmount | None = None
    refundable: Refundable | None = None

    @classmethod
    def about(cls, state: PaymentState, facts: PaymentFacts, reason: str | None = None) -> "Report":
        """A report about a payment as the gateway tells it."""
        return cls(
            state,
            reason,
            facts.payment_id,
            _coins(facts.pay_amount, facts.pay_currency),
            _coins(facts.actually_paid, facts.pay_currency),
        )

    @classmethod
    def owed(
        cls, facts: PaymentFacts, amount: Decimal, reason: str, state: PaymentState = _MORE
    ) -> "Report":
        """A report that so much of a payment is owed back."""
        about = cls.about(state, facts, reason)
        return replace(about, refundable=Refundable(amount=amount, currency=facts.pay_currency))

    @classmethod
    def of_known(
        cls, state: PaymentState, known: KnownPayment, reason: str | None = None
    ) -> "Report":
        """A report about a payment as we have it."""
        asked = _coins(known.pay_amount, known.pay_currency)
        paid = _coins(known.actually_paid, known.pay_currency)
        return cls(state, reason, known.payment_id, asked, paid)

    @classmethod
    def owed_known(cls, known: KnownPayment, reason: str) -> "Report":
        """A report that all of a payment, as we have it, is owed back."""
        owed = Refundable(amount=known.actually_paid, currency=known.pay_currency)
        return replace(cls.of_known(_MORE, known, reason), refundable=owed)


async def publish_payment_updated(
    transaction: Transaction, invoice: Invoice, report: Report, now: datetime
) -> None:
    """Tell orders how far the payment of an order is."""
    coins = report.asked or report.paid
    await emit(
        transaction,
        PaymentUpdated(
            id=new_id(),
            occurred_at=now,
            order_id=invoice.order_id,
            state=report.state,
            price=invoice.price,
            invoice_url=invoice.invoice_url,
            payment_id=report.payment_id,
            pay_currency=coins.currency if coins else None,
            asked=report.asked,
            paid=report.paid,
            reason=report.reason,
            refundable=report.refundable,
        ),
    )
    await invoice_repository.set_reported(transaction, invoice.order_id, report.state)


def _coins(amount: Decimal | None, currency: str | None) -> CoinAmount | None:
    if amount is None or currency is None:
        return None
    return CoinAmount(amount=amount, currency=currency)


async def publish_unreadable_order(
    transaction: Transaction, order_id: UUID, reason: str, now: datetime
) -> None:
    """Flag an order that never reached us: only its id is known, no price."""
    await emit(
        transaction,
        PaymentUpdated(
            id=new_id(),
            occurred_at=now,
            order_id=order_id,
            state=PaymentState.NEEDS_ATTENTION,
            reason=reason,
        ),
    )
