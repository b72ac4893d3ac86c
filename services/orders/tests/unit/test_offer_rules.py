"""What news of Kinguin's offers does to a sale, and what it leaves alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from contracts import SourceType
from orders.domain.catalogue import Product, availability, concerns_kinguin, is_sold_out
from orders.domain.line_cost import cost_now, offer_of_line
from orders.domain.offer import Offer, OfferRules
from orders.testing import NOW, a_line, a_product

KINGUIN, CUSTOM = SourceType.KINGUIN, SourceType.CUSTOM
RULES = OfferRules(max_age=timedelta(hours=3), margin_floor_percent=Decimal(10))


def an_offer(
    cost: str | None = "9.90", quantity: int = 5, price: str | None = "9.00", age_h: float = 0
) -> Offer:
    return Offer(
        price_eur=None if price is None else Decimal(price),
        cost_usd=None if cost is None else Decimal(cost),
        quantity=quantity,
        seen_at=NOW - timedelta(hours=age_h),
    )


def bought(offer: Offer | None, price: str = "25.00", currency: str = "USD") -> Product:
    return a_product(
        source_type=KINGUIN,
        kinguin_product_id="p1",
        retail_price=Decimal(price),
        currency=currency,
        offer=offer,
    )


@pytest.mark.parametrize(
    ("offer", "price", "currency", "refused"),
    [
        (None, "25.00", "USD", False),
        (an_offer(), "25.00", "USD", False),
        (an_offer(quantity=2), "25.00", "USD", True),
        (an_offer(cost=None, price=None, quantity=0), "25.00", "USD", True),
        (an_offer(cost="22.50"), "25.00", "USD", False),
        (an_offer(cost="22.51"), "25.00", "USD", True),
        (an_offer(cost=None), "0.01", "USD", False),
        (an_offer(price="22.51"), "25.00", "EUR", True),
        (an_offer(), "0.01", "GBP", False),
        (an_offer(quantity=0, age_h=3), "25.00", "USD", True),
        (an_offer(quantity=0, age_h=3.01), "25.00", "USD", False),
    ],
)
def test_young_news_refuses_what_is_not_there_or_costs_too_much(
    offer: Offer | None, price: str, currency: str, *, refused: bool
) -> None:
    product = bought(offer, price, currency)

    assert is_sold_out(product, KINGUIN, 3, RULES, NOW) is refused


@pytest.mark.parametrize(("quantity", "in_stock"), [(1, True), (0, False)])
def test_shelf_shows_whether_one_key_could_be_bought(quantity: int, *, in_stock: bool) -> None:
    shown = availability(bought(an_offer(quantity=quantity)), KINGUIN, RULES, NOW)

    assert shown.in_stock is in_stock


def test_offer_says_nothing_about_own_stock() -> None:
    product = a_product(offer=an_offer(quantity=0), free_stock=1, backorder=False)

    assert availability(product, CUSTOM, RULES, NOW).in_stock
    assert not is_sold_out(product, CUSTOM, 1, RULES, NOW)
    assert is_sold_out(product, CUSTOM, 2, RULES, NOW)


@pytest.mark.parametrize(
    ("offer", "currency", "cost"),
    [
        (an_offer(cost="9.90"), "USD", "9.90"),
        (an_offer(price="9.00"), "EUR", "9.00"),
        (an_offer(cost=None), "USD", "12"),
        (None, "USD", "12"),
        (None, "EUR", None),
    ],
)
def test_offer_goes_before_the_cost_that_was_typed(
    offer: Offer | None, currency: str, cost: str | None
) -> None:
    product = a_product(cost_usd=Decimal(12))

    assert cost_now(product, offer, currency) == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("fields", "age_h", "counts"),
    [
        ({}, 0, True),
        ({}, 4, False),
        ({"source_type": CUSTOM}, 0, False),
        ({"kinguin_product_id": "p2"}, 0, False),
        ({"kinguin_offer_id": "o2"}, 0, False),
    ],
)
def test_line_is_judged_by_the_young_offer_that_it_would_be_bought_from(
    fields: dict[str, object], age_h: float, *, counts: bool
) -> None:
    line = a_line(**{"source_type": KINGUIN, "kinguin_product_id": "p1", **fields})

    found = offer_of_line(bought(an_offer(age_h=age_h)), line, RULES, NOW)

    assert (found is not None) is counts


def test_change_concerns_kinguin_if_its_id_comes_stays_or_goes() -> None:
    own, theirs = a_product(), bought(None)

    assert concerns_kinguin(None, theirs)
    assert concerns_kinguin(own, theirs)
    assert concerns_kinguin(theirs, own)
    assert not concerns_kinguin(own, own)
    assert not concerns_kinguin(None, own)
