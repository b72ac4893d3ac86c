"""Whether a sale still leaves what must remain over its cost (design, section 5)."""

from decimal import Decimal


def leaves_margin(received: Decimal, cost: Decimal, floor_percent: Decimal) -> bool:
    """Whether `floor_percent` percent of the money received remain over the cost."""
    return cost <= received * (1 - floor_percent / 100)
