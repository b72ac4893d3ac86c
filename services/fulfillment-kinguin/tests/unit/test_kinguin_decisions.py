"""Pure decisions: offers and prices, orders and keys, when an order was never placed."""

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from contracts import Money
from contracts.testing import a_sealed
from foundation.clock import new_id
from fulfillment_kinguin.domain.choose_offer import PriceLimits, choose_offer
from fulfillment_kinguin.domain.judge_order import Verdict, judge_order
from fulfillment_kinguin.domain.line import Line
from fulfillment_kinguin.domain.read_key import read_key
from fulfillment_kinguin.domain.search_schedule import was_never_placed
from fulfillment_kinguin.domain.supply import Choice, Offer, OrderStatus, Product
from fulfillment_kinguin.errors import (
    PriceAboveLimit,
    ProductUnavailable,
    Refused,
    UnreadableKey,
)

RATE = PriceLimits(Decimal("1.10"))
PNG = b"\x89PNG\r\n\x1a\n..."
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_line(quantity: int = 1, offer_id: str | None = None, limit: str = "20") -> Line:
    return Line(
        id=new_id(),
        order_id=new_id(),
        product_id=new_id(),
        title="Ember Hollow",
        quantity=quantity,
        kinguin_product_id="p1",
        kinguin_offer_id=offer_id,
        highest_unit_price=Money(amount=Decimal(limit), currency="USD"),
        lines_in_order=1,
        buyer=a_sealed(),
    )


def an_offer(offer_id: str, price: str, quantity: int = 9, text_quantity: int = 9) -> Offer:
    return Offer(offer_id, Decimal(price), quantity, text_quantity)


def a_product(
    *offers: Offer, price: str | None = "5.00", quantity: int = 9, is_preorder: bool = False
) -> Product:
    return Product(
        product_id="p1",
        kinguin_id=1,
        name="Ember Hollow",
        platform=None,
        price=None if price is None else Decimal(price),
        quantity=quantity,
        text_quantity=0,
        is_preorder=is_preorder,
        offers=offers,
        updated_at=None,
    )


def test_own_offer_is_taken_even_if_another_is_cheaper() -> None:
    product = a_product(an_offer("cheap", "5"), an_offer("ours", "6"))

    choice = choose_offer(product, a_line(offer_id="ours"), RATE)

    assert choice == Choice(Decimal(6), "ours", as_text=True)


def test_cheapest_offer_that_has_enough_serves_when_ours_is_gone() -> None:
    product = a_product(an_offer("few", "4", quantity=2), an_offer("many", "6", text_quantity=2))

    choice = choose_offer(product, a_line(quantity=3, offer_id="gone"), RATE)

    assert choice == Choice(Decimal(6), None, as_text=False)


def test_price_of_the_product_counts_where_offers_are_not_shown() -> None:
    assert choose_offer(a_product(), a_line(), RATE) == Choice(Decimal("5.00"))


@pytest.mark.parametrize("product", [a_product(price=None), a_product(quantity=0)])
def test_product_without_price_or_stock_is_unavailable(product: Product) -> None:
    with pytest.raises(ProductUnavailable):
        choose_offer(product, a_line(), RATE)


def test_preorder_is_never_bought() -> None:
    with pytest.raises(Refused):
        choose_offer(a_product(is_preorder=True), a_line(), RATE)


def test_one_hundredth_of_a_cent_above_the_limit_is_too_much() -> None:
    choice = choose_offer(a_product(price="10"), a_line(limit="11.00"), RATE)
    assert choice.unit_price == 10
    with pytest.raises(PriceAboveLimit):
        choose_offer(a_product(price="10"), a_line(limit="10.9999"), RATE)


@pytest.mark.parametrize(
    ("status", "keys", "verdict"),
    [
        ("processing", 0, Verdict.WAIT),
        ("processing", 3, Verdict.WAIT),
        ("completed", 2, Verdict.WAIT),
        ("completed", 3, Verdict.COMPLETE),
        ("completed", 4, Verdict.TOO_MANY_KEYS),
        ("canceled", 0, Verdict.BUY_AGAIN),
        ("canceled", 1, Verdict.BROKEN),
        ("canceled", 3, Verdict.BROKEN),
        ("refunded", 0, Verdict.BUY_AGAIN),
        ("refunded", 1, Verdict.REFUNDED_WITH_KEYS),
    ],
)
def test_order_is_judged_by_status_and_distinct_keys(
    status: str, keys: int, verdict: Verdict
) -> None:
    assert judge_order(OrderStatus(status), keys, 3) is verdict


@pytest.mark.parametrize(
    ("searches", "seconds", "expected"),
    [(3, 120, True), (2, 600, False), (3, 119, False), (10, 119, False), (4, 500, True)],
)
def test_only_several_empty_searches_over_two_minutes_count(
    searches: int, seconds: int, *, expected: bool
) -> None:
    assert was_never_placed(searches, NOW, NOW + timedelta(seconds=seconds)) is expected


def test_text_key_is_kept_as_it_is() -> None:
    assert read_key("text/plain; charset=utf-8", "AAAA-BBBB").text() == "AAAA-BBBB"


def test_picture_key_is_decoded() -> None:
    key = read_key("image/png", base64.encodebytes(PNG * 20).decode())

    assert (key.media_type, key.value) == ("image/png", PNG * 20)


@pytest.mark.parametrize(
    ("media_type", "serial"),
    [
        ("text/plain", "  "),
        ("image/png", "SECRET-NOT-BASE64!"),
        ("image/jpeg", base64.b64encode(PNG).decode()),
        ("image/svg+xml", base64.b64encode(b"<svg/>").decode()),
        ("", "SECRET-NOT-BASE64!"),
    ],
)
def test_key_that_is_not_what_it_says_is_refused_and_not_repeated(
    media_type: str, serial: str
) -> None:
    with pytest.raises(UnreadableKey) as refusal:
        read_key(media_type, serial)

    assert serial.strip() == "" or serial not in str(refusal.value)
    assert refusal.value.__cause__ is None
