"""What the keys of a line cost today, as well as the shop knows."""

from datetime import datetime
from decimal import Decimal

from contracts import SourceType

from orders.domain.catalogue import Product
from orders.domain.offer import Offer, OfferRules
from orders.domain.order import Line


def offer_of_line(product: Product, line: Line, rules: OfferRules, now: datetime) -> Offer | None:
    """The offer that the line would be bought from, if it is young enough.

    A product that stands for another one of Kinguin's by now says nothing about the line.
    """
    ids = (product.kinguin_product_id, product.kinguin_offer_id)
    is_same = ids == (line.kinguin_product_id, line.kinguin_offer_id)
    if line.source_type is not SourceType.KINGUIN or not is_same:
        return None
    return rules.fresh(product.offer, now)


def cost_now(product: Product, offer: Offer | None, currency: str) -> Decimal | None:
    """What one key costs: by its offer, else as an admin typed it; None if nobody knows."""
    told = None if offer is None else offer.cost_in(currency)
    if told is not None:
        return told
    return product.cost_usd if currency == "USD" else None
