"""One purchase at Kinguin: a line's attempt to get all its keys, and its states.

The external id follows from line and attempt and is stored before anything is bought, so
an order whose answer was lost can be found again and is never placed twice.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from fulfillment_kinguin.domain.line import ForbiddenStep, Line
from fulfillment_kinguin.domain.return_keys import Return

PLACE: Final = "place"
SEARCH: Final = "search"
POLL: Final = "poll"
RETURN_KEYS: Final = "return_keys"
"""The kinds of jobs; their subject is the purchase id."""
REFRESH_RATE: Final = "refresh_rate"
WATCH_BALANCE: Final = "watch_balance"
REFRESH_OFFERS: Final = "refresh_offers"
"""Jobs that are always there; they have one row each."""


class PurchaseState(StrEnum):
    """Where a purchase is."""

    PLANNED = "planned"
    PLACING = "placing"
    PLACED = "placed"
    KEYS_READY = "keys_ready"
    UNKNOWN = "unknown"
    SLOW = "slow"
    ABANDONED = "abandoned"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    HANDED_BACK = "handed_back"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"
    RETURN_REFUSED = "return_refused"


_S = PurchaseState
_CLOSED: Final = frozenset({_S.KEYS_READY, _S.ABANDONED, _S.FAILED})

STEPS: Final[dict[PurchaseState, frozenset[PurchaseState]]] = {
    _S.PLANNED: frozenset({_S.PLACING, _S.FAILED, _S.ABANDONED, _S.HANDED_BACK}),
    _S.PLACING: frozenset({_S.PLACED, _S.UNKNOWN, _S.PLANNED, _S.FAILED, _S.ABANDONED}),
    _S.UNKNOWN: frozenset({_S.PLACED, _S.PLACING, _S.FAILED, _S.ABANDONED, _S.NEEDS_ATTENTION}),
    _S.PLACED: _CLOSED | {_S.SLOW, _S.NEEDS_ATTENTION, _S.RETURN_REQUESTED},
    _S.SLOW: _CLOSED | {_S.NEEDS_ATTENTION, _S.RETURN_REQUESTED},
    _S.NEEDS_ATTENTION: _CLOSED | {_S.UNKNOWN, _S.RETURN_REQUESTED, _S.RETURNED},
    _S.KEYS_READY: frozenset({_S.RETURN_REQUESTED, _S.ABANDONED}),
    _S.RETURN_REQUESTED: frozenset({_S.RETURNED, _S.RETURN_REFUSED, _S.NEEDS_ATTENTION}),
    _S.RETURNED: frozenset(),
    _S.RETURN_REFUSED: frozenset(),
    _S.ABANDONED: frozenset(),
    _S.FAILED: frozenset(),
    _S.HANDED_BACK: frozenset(),
}
"""Nothing leads from `placing` to `placing`: one POST, then an answer or a search."""

ENDED: Final = frozenset({_S.KEYS_READY, *(state for state in _S if not STEPS[state])})
"""States in which nothing is bought any more; keys that were sent may still go back."""

POLLED: Final = frozenset({_S.PLACED, _S.SLOW, _S.NEEDS_ATTENTION})
"""States in which an order at Kinguin is looked at."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase with its line; `reservation_id` is Kinguin's order id."""

    id: UUID
    line: Line
    attempt: int
    external_id: str
    state: PurchaseState
    reservation_id: str | None
    posts: int
    polls: int
    empty_searches: int
    first_empty_search_at: datetime | None
    unknown_since: datetime | None
    placed_at: datetime | None
    created_at: datetime
    giving_back: Return | None = None

    @property
    def next_states(self) -> frozenset[PurchaseState]:
        """Where it may go from here."""
        return STEPS[self.state]


def external_id(line_id: UUID, attempt: int) -> str:
    """What Kinguin calls our order by: the same for the same attempt, for ever."""
    return f"{line_id}-{attempt}"


def check_step(before: PurchaseState, after: PurchaseState) -> None:
    """Let only steps of the table pass.

    Raises:
        ForbiddenStep: the table does not have it.
    """
    if after not in STEPS[before]:
        raise ForbiddenStep(before, after)
