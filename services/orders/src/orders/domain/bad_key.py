"""A key that its buyer says does not work: one case a line, decided by a person.

The first key stays with the first line for ever, so nobody is ever given it again. A line
that replaces it costs nothing itself: should no key come for it, the first line's price is
what is owed back.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import SourceType
from foundation.clock import new_id

from orders.domain.order import Line, Order
from orders.domain.states import Cancellation, LineStatus
from orders.errors import ActionRefused

RETURN_WINDOW: Final = timedelta(hours=24)
"""How long after its delivery Kinguin takes a key back (its `POST /v2/order/{id}/keys/return`)."""

RETURN_NOTICE: Final = timedelta(hours=6)
"""How long before the end of that window people are told."""

PATIENCE: Final = timedelta(days=3)
"""How long a case without such a window may stay open before people are told."""

_WITH_KEY: Final = frozenset({LineStatus.STORED, LineStatus.DELIVERED})
_LIKE_A_KEY: Final = re.compile(r"[A-Za-z0-9]{4,}(?:-[A-Za-z0-9]{4,}){2,}|[A-Za-z0-9]{15,}")


class CaseState(StrEnum):
    """Where a case is."""

    OPEN = "open"
    REPLACED = "replaced"
    REFUNDED = "refunded"
    REJECTED = "rejected"


class CaseAction(StrEnum):
    """What a person decides."""

    REPLACE = "replace"
    REFUND = "refund"
    REJECT = "reject"


OUTCOMES: Final = {
    CaseAction.REPLACE: CaseState.REPLACED,
    CaseAction.REFUND: CaseState.REFUNDED,
    CaseAction.REJECT: CaseState.REJECTED,
}
"""A case leaves `open` once, and nothing leads further."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who decides what, and why; the supplier's reference says that it was returned there."""

    action: CaseAction
    actor: str
    reason: str
    supplier_reference: str | None = None


@dataclass(slots=True)
class BadKeyCase:
    """One row; people are told about an open one from `due_at` on.

    `return_until` is the supplier's window as it was when the case was opened, perhaps over.
    """

    id: UUID
    order_id: UUID
    line_id: UUID
    reason: str
    opened_at: datetime
    return_until: datetime | None
    due_at: datetime
    state: CaseState = CaseState.OPEN
    actor: str | None = None
    resolution: str | None = None
    supplier_reference: str | None = None
    resolved_at: datetime | None = None

    def resolve(self, resolution: Resolution, now: datetime) -> bool:
        """Decide the case; False when this very decision is on record already.

        Raises:
            ActionRefused: it was decided otherwise, or by somebody else.
        """
        wanted = (
            OUTCOMES[resolution.action],
            resolution.actor,
            resolution.reason,
            resolution.supplier_reference,
        )
        if self.state is CaseState.OPEN:
            self.state, self.actor, self.resolution, self.supplier_reference = wanted
            self.resolved_at = now
            return True
        if wanted == (self.state, self.actor, self.resolution, self.supplier_reference):
            return False
        raise ActionRefused(f"it was {self.state.value} already, by {self.actor}")


def report_until(order: Order, line: Line, limit: timedelta) -> datetime | None:
    """Until when the key of a line can be reported; None when it has none (any more)."""
    return _ready_at(order, line) + limit if has_sold_key(order, line) else None


def has_sold_key(order: Order, line: Line) -> bool:
    """Whether the buyer holds a key of this line that was neither given up nor replaced."""
    is_kept = line.cancellation is not Cancellation.ASKED and not order.is_replaced(line)
    return line.status in _WITH_KEY and is_kept


def open_case(order: Order, line: Line, reason: str, now: datetime, limit: timedelta) -> BadKeyCase:
    """The case of a line whose key is said not to work.

    Raises:
        ActionRefused: there is no such key, or it is too late.
    """
    until = report_until(order, line, limit)
    if until is None:
        raise ActionRefused("there is no key of this product that can be reported")
    if now >= until:
        raise ActionRefused(f"a key can be reported for {limit.days} days: that time is over")
    is_bought = line.source_type is SourceType.KINGUIN
    return_until = _ready_at(order, line) + RETURN_WINDOW if is_bought else None
    return BadKeyCase(
        id=new_id(),
        order_id=order.id,
        line_id=line.id,
        reason=reason,
        opened_at=now,
        return_until=return_until,
        due_at=_due_at(now, return_until),
    )


def replacing_line(line: Line, *, backorder: bool) -> Line:
    """As many keys of the same product from own stock, for nothing."""
    return Line(
        id=new_id(),
        product_id=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=line.unit_price * 0,
        source_type=SourceType.CUSTOM,
        backorder=backorder,
        kinguin_product_id=None,
        kinguin_offer_id=None,
        replaces=line.id,
    )


def looks_like_key(text: str) -> bool:
    """Whether a text seems to hold a key: those are kept nowhere but sealed."""
    found = _LIKE_A_KEY.findall(text)
    return any(part.isupper() or any(c.isdigit() for c in part) for part in found)


def _due_at(now: datetime, return_until: datetime | None) -> datetime:
    if return_until is None or return_until <= now:
        return now + PATIENCE
    return max(now, return_until - RETURN_NOTICE)


def _ready_at(order: Order, line: Line) -> datetime:
    known = line.delivery.ready_at if line.delivery else None
    return known or line.requested_at or order.paid_at or order.placed_at
