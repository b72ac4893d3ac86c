"""Giving keys back to the supplier: once, within its window, and never on a guess.

Kinguin takes one return of an order, within 24 hours of its delivery, for keys nobody claimed
(its ReturnKeys page). The call is asynchronous: only the order says that it was done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fulfillment_kinguin.domain.supply import SupplierOrder

WINDOW: Final = timedelta(hours=24)
"""Counted from the first key that we saw; Kinguin counts from earlier, and then refuses."""
LOOKS_BEFORE_ASKING_AGAIN: Final = 4
"""So many looks, half a minute apart, must show an order that nobody has asked to return."""
MAX_POSTS: Final = 2
ANSWER_TIME: Final = timedelta(hours=24)
"""How long a return that may have been taken is followed until a person has to look."""
FIRST_LOOK: Final = timedelta(seconds=5)
LOOK_AGAIN: Final = timedelta(seconds=30)
LOOK_SELDOM: Final = timedelta(minutes=5)
_OFTEN: Final = 10


@dataclass(frozen=True, slots=True)
class Return:
    """How far the return of a purchase's keys is; `taken` when Kinguin said it has it."""

    requested_at: datetime
    posts: int = 0
    looks: int = 0
    taken: bool = False


class NextStep(StrEnum):
    """What to do about a return now."""

    ASK = "ask"
    LOOK = "look"
    TOO_LATE = "too late"
    PERSON = "person"


def next_step(state: Return, now: datetime, *, closes_at: datetime) -> NextStep:
    """Ask once; after a lost answer look, and ask again only if nothing was taken.

    A second request can do no harm: of one order Kinguin takes one return.
    """
    if state.posts == 0:
        return NextStep.ASK if now < closes_at else NextStep.TOO_LATE
    if now - state.requested_at > ANSWER_TIME:
        return NextStep.PERSON
    may_ask = not state.taken and state.posts < MAX_POSTS and now < closes_at
    if may_ask and state.looks >= LOOKS_BEFORE_ASKING_AGAIN:
        return NextStep.ASK
    return NextStep.LOOK


def went_back(order: SupplierOrder, quantity: int) -> bool:
    """Whether the keys of an order of so many are the supplier's again."""
    return order.was_refunded or order.keys_returned >= quantity


def look_again_after(looks: int) -> timedelta:
    """How long until the next look."""
    return LOOK_AGAIN if looks < _OFTEN else LOOK_SELDOM
