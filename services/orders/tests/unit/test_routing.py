"""Which source serves a product."""

from uuid import UUID

import pytest
from contracts import SourceType
from foundation.clock import new_id
from hypothesis import given
from hypothesis import strategies as st
from orders.domain.routing import Rollout, rollout_bucket, route

KINGUIN, CUSTOM = SourceType.KINGUIN, SourceType.CUSTOM


def rollout(percent: int, *, enabled: bool = True, testers: tuple[str, ...] = ()) -> Rollout:
    return Rollout(kinguin_enabled=enabled, percent=percent, tester_emails=frozenset(testers))


@given(st.uuids())
def test_bucket_is_stable_and_below_one_hundred(product_id: UUID) -> None:
    assert rollout_bucket(product_id) == rollout_bucket(UUID(str(product_id)))
    assert 0 <= rollout_bucket(product_id) < 100


def test_bucket_is_the_documented_hash() -> None:
    # sha256("01920000-0000-7000-8000-000000000001") mod 100, by sha256sum and bc
    assert rollout_bucket(UUID("01920000-0000-7000-8000-000000000001")) == 11


@given(st.uuids(), st.integers(0, 100), st.integers(0, 100))
def test_raising_the_percentage_never_takes_a_product_out(
    product_id: UUID, one: int, other: int
) -> None:
    low, high = sorted((one, other))

    before = route(KINGUIN, product_id, rollout(low), None)
    after = route(KINGUIN, product_id, rollout(high), None)

    assert not (before is KINGUIN and after is CUSTOM)


@given(st.uuids())
def test_zero_percent_is_nobody_and_hundred_is_everybody(product_id: UUID) -> None:
    assert route(KINGUIN, product_id, rollout(0), None) is CUSTOM
    assert route(KINGUIN, product_id, rollout(100), None) is KINGUIN


def test_tester_buys_before_the_rest() -> None:
    state = rollout(0, testers=("tester@example.com",))

    assert route(KINGUIN, new_id(), state, "Tester@Example.com") is KINGUIN
    assert route(KINGUIN, new_id(), state, "else@example.com") is CUSTOM


@pytest.mark.parametrize("email", [None, "tester@example.com"])
def test_switched_off_is_off_for_testers_too(email: str | None) -> None:
    state = rollout(100, enabled=False, testers=("tester@example.com",))

    assert route(KINGUIN, new_id(), state, email) is CUSTOM


def test_own_stock_is_never_bought() -> None:
    assert route(CUSTOM, new_id(), rollout(100), None) is CUSTOM
