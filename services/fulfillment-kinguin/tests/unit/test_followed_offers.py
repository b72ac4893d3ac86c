"""What an offer costs by the rule of buying, and when orders must hear of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from foundation.clock import new_id
from fulfillment_kinguin.adapters.esa_client import checked_list
from fulfillment_kinguin.domain.offers import (
    NOT_ON_SALE,
    FollowedOffer,
    OfferFacts,
    by_either_id,
    facts_of,
    must_be_told,
    same_id,
)
from fulfillment_kinguin.domain.supply import Offer, Product
from fulfillment_kinguin.errors import UnreadableAnswer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RATE = Decimal("1.10")
FACTS = OfferFacts(Decimal(5), Decimal("5.50"), 9)
DEARER = OfferFacts(Decimal(6), Decimal("6.60"), 2)


def an_offer(offer_id: str, price: str, quantity: int = 9) -> Offer:
    return Offer(offer_id, Decimal(price), quantity, quantity)


def a_product(*offers: Offer, **fields: Any) -> Product:
    values: dict[str, Any] = {
        "product_id": "5c9b01",
        "kinguin_id": 1001,
        "name": "Ember Hollow",
        "platform": None,
        "price": Decimal(5),
        "quantity": 9,
        "text_quantity": 0,
        "is_preorder": False,
        "offers": offers,
        "updated_at": None,
    }
    return Product(**(values | fields))


def followed(told: OfferFacts | None, age: timedelta | None) -> FollowedOffer:
    told_at = None if age is None else NOW - age
    return FollowedOffer(new_id(), 1, "5c9b01", "ours", NOW, told, told_at)


@pytest.mark.parametrize(
    ("product", "facts"),
    [
        (None, NOT_ON_SALE),
        (a_product(quantity=0), NOT_ON_SALE),
        (a_product(price=None), NOT_ON_SALE),
        (a_product(an_offer("ours", "5"), is_preorder=True), NOT_ON_SALE),
        (a_product(), FACTS),
        (a_product(an_offer("cheap", "5"), an_offer("ours", "6", 2)), DEARER),
        (a_product(an_offer("cheap", "5"), an_offer("ours", "4", 0)), FACTS),
        (a_product(an_offer("ours", "5", 10**30)), OfferFacts(Decimal(5), Decimal("5.50"), 10**6)),
        (a_product(an_offer("ours", "5", -3), quantity=-1), NOT_ON_SALE),
    ],
)  # fmt: skip
def test_offer_costs_what_buying_one_key_would(product: Product | None, facts: OfferFacts) -> None:
    assert facts_of(product, "ours", RATE) == facts


def test_without_a_rate_only_the_price_is_known() -> None:
    assert facts_of(a_product(), None, None) == OfferFacts(Decimal(5), None, 9)


@pytest.mark.parametrize(
    ("offer", "is_told"),
    [
        (followed(None, None), True),
        (followed(FACTS, timedelta(minutes=59)), False),
        (followed(FACTS, timedelta(hours=1)), True),
        (followed(OfferFacts(Decimal(5), None, 9), timedelta()), True),
        (followed(OfferFacts(Decimal(5), Decimal("5.50"), 8), timedelta()), True),
    ],
)
def test_change_is_told_and_sameness_once_an_hour(offer: FollowedOffer, *, is_told: bool) -> None:
    assert must_be_told(offer, FACTS, NOW) is is_told


def test_product_is_known_by_its_id_in_any_spelling_and_by_its_number() -> None:
    found = by_either_id([a_product(product_id="5C9B01")])

    assert found[same_id("5c9b01")] is found[same_id("01001")]
    assert same_id("²") == "²"


@pytest.mark.parametrize(
    ("ids", "products"),
    [
        (["5c9b02"], [a_product()]),
        (["5c9b01"], [a_product(), a_product(product_id="5c9b02", kinguin_id=None)]),
        (["5c9b01"], [a_product(), a_product()]),
        (["1002"], [a_product()]),
    ],
)
def test_list_of_other_products_than_asked_for_is_not_believed(
    ids: list[str], products: list[Product]
) -> None:
    with pytest.raises(UnreadableAnswer):
        checked_list(products, ids)


def test_list_may_lack_products_that_are_not_on_sale() -> None:
    assert len(checked_list([a_product()], ["1001", "1002"])) == 1
