"""A paid line that wants keys from own stock, and its states."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import FulfillmentState, Sealed


class LineState(StrEnum):
    """Where a line is in this service."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    RELEASED = "released"
    FAILED = "failed"


STEPS: Final[dict[LineState, frozenset[LineState]]] = {
    LineState.WAITING: frozenset({LineState.ASSIGNED, LineState.RELEASED, LineState.FAILED}),
    LineState.ASSIGNED: frozenset(),
    LineState.RELEASED: frozenset(),
    LineState.FAILED: frozenset(),
}
"""An assigned line keeps its keys: the answer to a cancellation is `too_late` then."""

ANSWERS: Final = {
    LineState.WAITING: (FulfillmentState.DELAYED, "out of stock"),
    LineState.RELEASED: (FulfillmentState.RELEASED, "cancelled"),
    LineState.FAILED: (FulfillmentState.FAILED, "out of stock"),
}
"""What orders is told about a line that has no keys, and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was asked for; the buyer's address stays sealed."""

    id: UUID
    order_id: UUID
    product_id: UUID
    title: str
    quantity: int
    lines_in_order: int
    buyer: Sealed
    backorder: bool
    state: LineState = LineState.WAITING
