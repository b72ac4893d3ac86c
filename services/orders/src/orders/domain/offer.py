"""What Kinguin asked for a key when it was last seen, and whether a sale may count on it.

An offer is news, not a promise: while it is young it can refuse a sale before the money is
taken, and an old one says nothing. The purchase itself asks for the price again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from contracts import Money

from orders.domain.margin import leaves_margin


@dataclass(frozen=True, slots=True)
class Offer:
    """The price of one key and how many can be bought for it; no price: it was not on sale."""

    price_eur: Decimal | None
    cost_usd: Decimal | None
    quantity: int
    seen_at: datetime

    def cost_in(self, currency: str) -> Decimal | None:
        """What a key costs in a currency; None where that is not known."""
        return {"EUR": self.price_eur, "USD": self.cost_usd}.get(currency)


@dataclass(frozen=True, slots=True)
class OfferRules:
    """How old an offer may be, and the percent of a price that must remain over its cost."""

    max_age: timedelta
    margin_floor_percent: Decimal

    def fresh(self, offer: Offer | None, now: datetime) -> Offer | None:
        """The offer, if it is young enough to go by."""
        return offer if offer is not None and now - offer.seen_at <= self.max_age else None

    def serves(self, offer: Offer, quantity: int, price: Money) -> bool:
        """Whether so many keys are there and cost little enough, as far as that is known."""
        cost = offer.cost_in(price.currency)
        if offer.quantity < quantity:
            return False
        return cost is None or self.leaves_margin(price.amount, cost)

    def leaves_margin(self, received: Decimal, cost: Decimal) -> bool:
        """Whether what must remain of the money does."""
        return leaves_margin(received, cost, self.margin_floor_percent)
