"""Keys held for an order until its money is in: all or nothing.

A product that can be backordered never makes an order refused: its line holds keys if
enough are free, and waits for an upload otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ReservationState(StrEnum):
    """Where the reservation of an order is; `released` may come before the order itself."""

    HELD = "held"
    REFUSED = "refused"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one line of an order wants held."""

    line_id: UUID
    product_id: UUID
    quantity: int
    backorder: bool


def share_out(wishes: Sequence[Wish], free: Mapping[UUID, int]) -> Sequence[Wish] | None:
    """The wishes that get keys held, or None when the order is sold out.

    `free` is how many keys of each product may be held.
    """
    left = dict(free)
    granted: list[Wish] = []
    for wish in sorted(wishes, key=lambda wish: wish.backorder):  # the firm ones first
        if wish.quantity <= left.get(wish.product_id, 0):
            left[wish.product_id] -= wish.quantity
            granted.append(wish)
        elif not wish.backorder:
            return None
    return granted
