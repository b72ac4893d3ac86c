"""What an order holds: all it needs or nothing, backordered products apart."""

from collections import Counter
from uuid import UUID

from fulfillment_custom.domain.reservation import Wish, share_out
from hypothesis import given
from hypothesis import strategies as st

PRODUCTS = [UUID(int=number) for number in range(3)]
wishes = st.lists(
    st.builds(Wish, st.uuids(), st.sampled_from(PRODUCTS), st.integers(1, 9), st.booleans()),
    min_size=1,
    max_size=20,
    unique_by=lambda wish: wish.line_id,
)
stocks = st.dictionaries(st.sampled_from(PRODUCTS), st.integers(0, 40))


def a_wish(product_id: UUID, quantity: int, *, backorder: bool = False) -> Wish:
    return Wish(UUID(int=quantity), product_id, quantity, backorder)


def test_lines_of_one_product_count_together() -> None:
    asked = [a_wish(PRODUCTS[0], 2), a_wish(PRODUCTS[0], 3)]

    assert share_out(asked, {PRODUCTS[0]: 4}) is None
    assert share_out(asked, {PRODUCTS[0]: 5}) == asked


def test_backordered_line_without_keys_does_not_refuse_the_order() -> None:
    firm, soft = a_wish(PRODUCTS[0], 1), a_wish(PRODUCTS[1], 2, backorder=True)

    assert share_out([soft, firm], {PRODUCTS[0]: 1, PRODUCTS[1]: 1}) == [firm]


@given(wishes, stocks)
def test_no_more_is_held_than_is_free(asked: list[Wish], free: dict[UUID, int]) -> None:
    held: Counter[UUID] = Counter()
    for wish in share_out(asked, free) or []:
        held[wish.product_id] += wish.quantity

    assert all(number <= free.get(product, 0) for product, number in held.items())


@given(wishes, stocks)
def test_every_firm_line_is_held_or_none_is(asked: list[Wish], free: dict[UUID, int]) -> None:
    granted = share_out(asked, free)

    firm = {wish.line_id for wish in asked if not wish.backorder}
    if granted is None:
        assert firm
    else:
        assert firm <= {wish.line_id for wish in granted}
