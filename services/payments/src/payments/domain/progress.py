"""What follows from news about a payment, whoever brought them, in whatever order.

Nothing here makes an order paid: `finished` only leads to asking the gateway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contracts import PaymentState

from payments.domain.invoice import Invoice, InvoiceState
from payments.domain.payment import ARRIVED, IN_FLIGHT, RANKS, PaymentFacts, PaymentStatus
from payments.domain.verdict import FINAL, Verdict

CANCELLED: Final = "the order was cancelled"
"""Why a part payment of it is owed back."""


class Effect(StrEnum):
    """What news caused, or why they caused nothing."""

    REPORTED = "reported"
    CONFIRMING = "confirming"
    SURPLUS = "surplus"
    NOTED = "noted"
    OLDER = "older"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_STATUS = "unknown_status"


@dataclass(frozen=True, slots=True)
class KnownPayment:
    """A payment as we have it, by the furthest news so far.

    `is_refundable`: all of it is owed back; of the one that pays an order only a surplus can be.
    """

    payment_id: str
    status: PaymentStatus
    actually_paid: Decimal
    pay_amount: Decimal | None
    pay_currency: str | None
    parent_payment_id: str | None
    verdict: Verdict | None
    is_refundable: bool

    @property
    def is_live(self) -> bool:
        """Whether its money is on its way or here."""
        return self.status in IN_FLIGHT | ARRIVED

    @property
    def has_arrived(self) -> bool:
        """Whether its money lies in the wallet."""
        return self.status in ARRIVED

    @property
    def is_part(self) -> bool:
        """Whether it has arrived and is too little, by the gateway's word or by ours."""
        is_short = self.status is PaymentStatus.PARTIALLY_PAID or self.verdict is Verdict.UNDERPAID
        return self.has_arrived and is_short

    @property
    def share(self) -> Decimal:
        """How much of what was asked for has arrived."""
        return _share(self.actually_paid, self.pay_amount)

    @property
    def is_open(self) -> bool:
        """Whether the gateway may still have news, or owes us an answer."""
        if self.is_refundable or self.verdict in FINAL:
            return False
        return self.is_live or self.status is PaymentStatus.WAITING

    @property
    def awaits_verdict(self) -> bool:
        """Said to be finished, and not asked yet, or denied when asked."""
        undecided = self.verdict in {None, Verdict.NOT_FINISHED}
        return self.status is PaymentStatus.FINISHED and undecided and not self.is_refundable


@dataclass(frozen=True, slots=True)
class Decision:
    """The effect of news and its reason; `report` is what orders hears."""

    effect: Effect
    reason: str | None = None
    report: PaymentState | None = None

    @property
    def changes_payment(self) -> bool:
        """Whether the news are further than what we had."""
        return self.effect in {Effect.REPORTED, Effect.CONFIRMING, Effect.SURPLUS, Effect.NOTED}


def completed(facts: PaymentFacts, payments: Sequence[KnownPayment]) -> PaymentFacts:
    """The facts with the parent we know of: the gateway names it in some answers only."""
    known = next((p for p in payments if p.payment_id == facts.payment_id), None)
    if known is None or facts.parent_payment_id is not None:
        return facts
    return replace(facts, parent_payment_id=known.parent_payment_id)


def _share(paid: Decimal, asked: Decimal | None) -> Decimal:
    return paid / asked if asked is not None and asked > 0 else Decimal(0)


def largest_part(payments: Sequence[KnownPayment]) -> KnownPayment | None:
    """The part payment that an admin would accept: of several the one nearest to the price."""
    parts = [p for p in payments if p.is_part and p.parent_payment_id is None]
    return max((p for p in parts if not p.is_refundable), key=lambda p: p.share, default=None)


def left_over(
    order: Invoice, payments: Sequence[KnownPayment], facts: PaymentFacts
) -> KnownPayment | None:
    """The part payment that is the news of the order again, after another came to nothing more."""
    others = [p for p in payments if p.payment_id != facts.payment_id]
    is_over = order.settled_by is not None or order.state is InvoiceState.CANCELLED
    if is_over or facts.is_in_flight or any(p.status in IN_FLIGHT for p in others):
        return None
    return None if facts.status is PaymentStatus.WAITING else largest_part(others)


def surplus(facts: PaymentFacts) -> Decimal:
    """How much more arrived than was asked for; 0 where the gateway does not say what it asked."""
    asked = facts.pay_amount or Decimal(0)
    return max(Decimal(0), facts.actually_paid - asked) if asked > 0 else Decimal(0)


def worth(order: Invoice, facts: PaymentFacts, amount: Decimal) -> Decimal:
    """What coins of a payment are worth in the order's currency, at the rate it was asked at."""
    return order.price.amount * _share(amount, facts.pay_amount)


def decide(order: Invoice, payments: Sequence[KnownPayment], facts: PaymentFacts) -> Decision:
    """Weigh news about one payment against all that is known of its order."""
    if facts.status is None:
        return Decision(Effect.UNKNOWN_STATUS, f"nobody knows the status {facts.word!r}")
    known = next((p for p in payments if p.payment_id == facts.payment_id), None)
    if known is not None and not _is_further(known, facts.status, facts.actually_paid):
        return Decision(Effect.OLDER, f"older than what is known: {known.status.value}")
    if surplus := _surplus(order, known, facts):
        return _further_money(order, known, facts, surplus)
    if facts.status is PaymentStatus.FINISHED:
        return _finished(order, facts)
    others = [p for p in payments if p.payment_id != facts.payment_id]
    if _is_overshadowed(order, others, facts):
        return Decision(Effect.NOTED, "another payment of the order is further")
    return Decision(Effect.REPORTED, report=PaymentState(facts.status.value))


def _is_further(known: KnownPayment, status: PaymentStatus, paid: Decimal) -> bool:
    rank, known_rank = RANKS[status], RANKS[known.status]
    if rank != known_rank:
        return rank > known_rank
    return paid > known.actually_paid or known.awaits_verdict


def _surplus(order: Invoice, known: KnownPayment | None, facts: PaymentFacts) -> str | None:
    """Why this money can never pay the order, or None."""
    if facts.parent_payment_id is not None:
        return f"a further deposit to payment {facts.parent_payment_id}"
    if order.settled_by not in {None, facts.payment_id}:
        return f"payment {order.settled_by} has paid the order"
    if other_coin := _other_coin(known, facts):
        return other_coin
    if known is not None and known.is_refundable:
        return "it is owed back"
    if order.state is InvoiceState.CANCELLED and facts.status is PaymentStatus.PARTIALLY_PAID:
        return CANCELLED
    return None


def _other_coin(known: KnownPayment | None, facts: PaymentFacts) -> str | None:
    coins = {known.pay_currency if known else None, facts.pay_currency} - {None}
    if known is None or len(coins) < 2:  # noqa: PLR2004  one coin, then another
        return None
    return f"paid in another coin than {known.pay_currency}"


def _further_money(
    order: Invoice, known: KnownPayment | None, facts: PaymentFacts, reason: str
) -> Decision:
    if order.settled_by == facts.payment_id:
        # All that is known of this payment would be owed, and a part of it has paid the order.
        return Decision(Effect.REPORTED, reason, PaymentState.NEEDS_ATTENTION)
    if not facts.has_money:
        return Decision(Effect.NOTED, reason)
    if facts.status is PaymentStatus.REFUNDED:
        return Decision(Effect.NOTED, f"given back by the gateway: {reason}")
    if known is not None and known.is_refundable:
        return Decision(Effect.NOTED, f"a person knows already: {reason}")
    return Decision(Effect.SURPLUS, reason, PaymentState.MORE_MONEY)


def _finished(order: Invoice, facts: PaymentFacts) -> Decision:
    if order.settled_by == facts.payment_id and not order.is_accepted:
        return Decision(Effect.NOTED, "more arrived on the payment that has paid the order")
    return Decision(Effect.CONFIRMING)


def _is_overshadowed(order: Invoice, others: Sequence[KnownPayment], facts: PaymentFacts) -> bool:
    """A coin that was picked and dropped, or a smaller part, must not hide the one paid in."""
    if facts.status is PaymentStatus.PARTIALLY_PAID and order.settled_by is None:
        largest = largest_part(others)
        return largest is not None and largest.share > _share(facts.actually_paid, facts.pay_amount)
    if facts.is_in_flight or facts.has_money:
        return False
    counted = [p for p in others if p.parent_payment_id is None and not p.is_refundable]
    return order.settled_by is not None or any(p.is_live for p in counted)
