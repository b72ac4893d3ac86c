"""Which offer to take and whether its price is within the line's limit.

Kinguin has no error for a price that rose: it is asked right before the order, and the
order names the price, so that nothing dearer can be sold to us.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from contracts import Money

from fulfillment_kinguin.domain.line import Line
from fulfillment_kinguin.domain.supply import Choice, Offer, Product
from fulfillment_kinguin.errors import PriceAboveLimit, ProductUnavailable, Refused


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """US dollars for a euro, and the percent of the price that must be left over the cost."""

    eur_usd_rate: Decimal
    margin_floor_percent: Decimal = Decimal(0)

    def check(self, euros: Decimal, price: Money) -> None:
        """Let a cost pass that leaves the margin.

        Raises:
            PriceAboveLimit: it does not.
            Refused: the price is in a currency that cannot be compared.
        """
        rate = {"EUR": Decimal(1), "USD": self.eur_usd_rate}.get(price.currency)
        if rate is None:
            raise Refused(f"a price limit in {price.currency} cannot be compared with euros")
        limit = price.amount * (1 - self.margin_floor_percent / 100)
        if euros * rate > limit:
            raise PriceAboveLimit(
                f"{euros} EUR a key is above the limit of {limit:f} {price.currency}"
            )


def choose_offer(product: Product, line: Line, limits: PriceLimits) -> Choice:
    """The line's own offer if it can serve, else the cheapest that can.

    Raises:
        ProductUnavailable: nothing is on sale.
        PriceAboveLimit: it is dearer than the line allows.
        Refused: a pre-order: its keys come in months, and money would be bound till then.
    """
    if product.is_preorder:
        raise Refused("a pre-order is not bought for a line that waits")
    choice = next(_choices(product, line), None)
    if choice is None or choice.unit_price is None:
        raise ProductUnavailable("nothing of this product is on sale")
    limits.check(choice.unit_price, line.highest_unit_price)
    return choice


def present_offer(product: Product, offer_id: str | None) -> Offer | None:
    """The offer that one key would be bought from now; None: nothing is on sale."""
    return None if product.is_preorder else next(_able(product, offer_id, 1), None)


def _choices(product: Product, line: Line) -> Iterator[Choice]:
    for offer in _able(product, line.kinguin_offer_id, line.quantity):
        is_own = offer.offer_id == line.kinguin_offer_id
        yield Choice(
            offer.price,
            offer.offer_id if is_own else None,
            as_text=offer.text_quantity >= line.quantity,
        )


def _able(product: Product, offer_id: str | None, quantity: int) -> Iterator[Offer]:
    """The offers that could serve, best first."""
    able = [offer for offer in product.offers if offer.quantity >= quantity]
    yield from (offer for offer in able if offer.offer_id == offer_id)
    if able:
        yield min(able, key=lambda offer: offer.price)
    if product.price is not None and product.quantity > 0:
        # Accounts do not see single offers unless Kinguin's business manager allows it.
        yield Offer("", product.price, product.quantity, product.text_quantity)
