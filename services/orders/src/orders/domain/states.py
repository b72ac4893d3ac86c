"""The states of orders and lines, declared as data.

Topics are not ordered among each other, so a message may come late: a step that the
table does not allow has no effect. Money and cancellations are never refused; how
confirmed money moves an order is `confirm` in `order.py`.
"""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """Where an order is, derived from its money and its lines."""

    PLACED = "placed"
    AWAITING_PAYMENT = "awaiting_payment"
    CONFIRMING = "confirming"
    PAID = "paid"
    FULFILLING = "fulfilling"
    FULFILLED = "fulfilled"
    UNDERPAID = "underpaid"
    PAID_LATE = "paid_late"
    EXPIRED = "expired"
    PAYMENT_FAILED = "payment_failed"
    NEEDS_ATTENTION = "needs_attention"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class MoneyStatus(StrEnum):
    """What orders knows about the money of an order."""

    NONE = "none"
    INVOICED = "invoiced"
    CONFIRMING = "confirming"
    UNDERPAID = "underpaid"
    FAILED = "failed"
    EXPIRED = "expired"
    PAID = "paid"


class ReservationStatus(StrEnum):
    """What orders knows about the keys held for the custom lines of an unpaid order."""

    NONE = "none"
    ASKED = "asked"
    HELD = "held"
    REFUSED = "refused"
    LET_GO = "let_go"


class Cancellation(StrEnum):
    """Where the cancellation of a paid line is: only an answer makes it `refund_due`."""

    ASKED = "asked"
    REFUSED = "refused"


class LineStatus(StrEnum):
    """Where one line is."""

    WAITING = "waiting"
    REQUESTED = "requested"
    DELAYED = "delayed"
    STORED = "stored"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


_L = LineStatus
LINE_STEPS: Final[dict[LineStatus, frozenset[LineStatus]]] = {
    _L.WAITING: frozenset({_L.REQUESTED, _L.REFUND_DUE, _L.CANCELLED}),
    _L.REQUESTED: frozenset({_L.DELAYED, _L.STORED, _L.DELIVERED, _L.FAILED, _L.REFUND_DUE}),
    _L.DELAYED: frozenset({_L.REQUESTED, _L.STORED, _L.DELIVERED, _L.FAILED, _L.REFUND_DUE}),
    _L.STORED: frozenset({_L.DELIVERED, _L.REFUND_DUE}),
    _L.DELIVERED: frozenset({_L.REFUND_DUE}),
    _L.FAILED: frozenset({_L.REFUND_DUE}),
    _L.REFUND_DUE: frozenset({_L.REFUNDED}),
    _L.REFUNDED: frozenset(),
    _L.CANCELLED: frozenset({_L.REFUND_DUE}),
}
"""Which step a line may take; cancelled lines become owed when money arrives after all."""

_M = MoneyStatus
MONEY_STEPS: Final[dict[MoneyStatus, frozenset[MoneyStatus]]] = {
    _M.NONE: frozenset({_M.INVOICED, _M.CONFIRMING, _M.UNDERPAID, _M.FAILED, _M.EXPIRED, _M.PAID}),
    _M.INVOICED: frozenset({_M.CONFIRMING, _M.UNDERPAID, _M.FAILED, _M.EXPIRED, _M.PAID}),
    _M.CONFIRMING: frozenset({_M.UNDERPAID, _M.FAILED, _M.PAID}),
    _M.UNDERPAID: frozenset({_M.CONFIRMING, _M.PAID}),
    _M.FAILED: frozenset({_M.CONFIRMING, _M.UNDERPAID, _M.EXPIRED, _M.PAID}),
    _M.EXPIRED: frozenset({_M.CONFIRMING, _M.UNDERPAID, _M.PAID}),
    _M.PAID: frozenset(),
}
"""Which step the money may take: nothing leads away from `paid`."""
