"""A paid line that wants keys from Kinguin, and its states."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import FulfillmentState, Money, Sealed


class LineState(StrEnum):
    """Where a line is in this service."""

    BUYING = "buying"
    DELAYED = "delayed"
    NEEDS_ATTENTION = "needs_attention"
    READY = "ready"
    FAILED = "failed"
    RELEASED = "released"
    HANDED_BACK = "handed_back"


_ENDS: Final = frozenset(
    {LineState.READY, LineState.FAILED, LineState.RELEASED, LineState.HANDED_BACK}
)
OPEN: Final = frozenset({LineState.BUYING, LineState.DELAYED, LineState.NEEDS_ATTENTION})
"""Lines whose buyer still waits for keys."""

STEPS: Final[dict[LineState, frozenset[LineState]]] = {
    LineState.BUYING: _ENDS | {LineState.DELAYED, LineState.NEEDS_ATTENTION},
    LineState.DELAYED: _ENDS | {LineState.NEEDS_ATTENTION},
    LineState.NEEDS_ATTENTION: _ENDS | {LineState.DELAYED},
    **dict.fromkeys(_ENDS, frozenset[LineState]()),
    LineState.READY: frozenset({LineState.RELEASED}),
}
"""An end is final, but for keys that were voided unseen: a purchase that still runs then goes
back to the supplier, or to own stock."""

ANSWERS: Final[dict[LineState, FulfillmentState]] = {
    LineState.DELAYED: FulfillmentState.DELAYED,
    LineState.NEEDS_ATTENTION: FulfillmentState.NEEDS_ATTENTION,
    LineState.FAILED: FulfillmentState.FAILED,
    LineState.RELEASED: FulfillmentState.RELEASED,
    LineState.HANDED_BACK: FulfillmentState.HANDED_BACK,
}
"""What orders is told; there is no word for a line that is being bought as it should."""


class ForbiddenStep(ValueError):
    """The transition table does not have this step."""

    def __init__(self, before: StrEnum, after: StrEnum) -> None:
        super().__init__(f"{type(before).__name__} {before.value} does not go to {after.value}")


@dataclass(frozen=True, slots=True)
class Line:
    """What was asked for; the buyer's address stays sealed."""

    id: UUID
    order_id: UUID
    product_id: UUID
    title: str
    quantity: int
    kinguin_product_id: str
    kinguin_offer_id: str | None
    highest_unit_price: Money
    lines_in_order: int
    buyer: Sealed
    state: LineState = LineState.BUYING
    reason: str | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether keys that come now go to the buyer."""
        return self.state in OPEN


def check_line_step(before: LineState, after: LineState) -> None:
    """Let only steps of the table pass.

    Raises:
        ForbiddenStep: the table does not have it.
    """
    if after not in STEPS[before]:
        raise ForbiddenStep(before, after)
