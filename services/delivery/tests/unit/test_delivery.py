"""A delivery: its states, and how long and how often its link opens it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from contracts.testing import a_sealed
from delivery.domain.delivery import NEWS, READABLE, STEPS, Delivery, State
from foundation.clock import new_id
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REVEALS = 5
LIFE = timedelta(hours=72)
MOMENTS = st.timedeltas(timedelta(days=-30), timedelta(days=30))


def a_delivery(**fields: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": new_id(),
        "order_id": new_id(),
        "line_id": new_id(),
        "product_id": new_id(),
        "title": "Moon Farmer",
        "source_type": "custom",
        "lines_in_order": 1,
        "buyer": a_sealed(),
        "fingerprints": ["f" * 64],
        "sealed_keys": None,
        "state": State.STORED,
        "expires_at": NOW + LIFE,
    }
    return Delivery(**(values | fields))


def test_tables_name_every_state() -> None:
    assert set(STEPS) == set(State)
    assert set(NEWS) == set(State) - {State.RECEIVED}


@given(st.lists(st.sampled_from(list(State)), max_size=12))
def test_states_are_a_path_of_the_declared_graph(steps: list[State]) -> None:
    delivery = a_delivery(state=State.RECEIVED)
    path = [delivery.state]

    for step in steps:
        moved = delivery.move(step)
        path.append(delivery.state)
        assert moved == (step in STEPS[path[-2]])

    assert all(after in STEPS[before] for before, after in pairwise(path) if before is not after)


@given(st.lists(st.sampled_from(list(State)), max_size=12))
def test_voided_delivery_is_never_readable_again(steps: list[State]) -> None:
    delivery = a_delivery()
    delivery.move(State.VOIDED)

    for step in steps:
        delivery.move(step)

    assert delivery.state not in READABLE


@given(st.lists(st.sampled_from(sorted(READABLE)), max_size=12))
def test_no_fate_of_a_mail_hides_a_key_that_is_stored(steps: list[State]) -> None:
    delivery = a_delivery()

    for step in steps:
        delivery.move(step)

    assert delivery.state in READABLE


@given(MOMENTS, st.integers(0, 2 * REVEALS))
def test_link_is_open_while_both_the_time_and_the_count_last(
    after: timedelta, reveals_used: int
) -> None:
    delivery = a_delivery(reveals_used=reveals_used)

    is_open = not delivery.is_spent(NOW + after, REVEALS)

    assert is_open == (after < LIFE and reveals_used < REVEALS)


@given(MOMENTS, st.integers(0, REVEALS))
def test_spent_link_stays_spent(after: timedelta, reveals_used: int) -> None:
    delivery = a_delivery(reveals_used=reveals_used)
    was_spent = delivery.is_spent(NOW + after, REVEALS)

    delivery.reveals_used += 1

    assert delivery.is_spent(NOW + after + timedelta(seconds=1), REVEALS) or not was_spent


def test_delivery_that_is_not_stored_yet_has_no_open_link() -> None:
    assert a_delivery(expires_at=None).is_spent(NOW, REVEALS)


@pytest.mark.parametrize(
    ("after", "holds"),
    [(LIFE - timedelta(seconds=1), True), (LIFE, False), (LIFE + timedelta(days=1), False)],
)
def test_token_of_the_order_opens_keys_for_72_hours_after_the_mail(
    after: timedelta, *, holds: bool
) -> None:
    assert a_delivery(mailed_at=NOW).order_token_holds(NOW + after) is holds


@given(MOMENTS)
def test_token_of_the_order_holds_as_long_as_nothing_was_mailed(after: timedelta) -> None:
    assert a_delivery(mailed_at=None).order_token_holds(NOW + after)
