"""The transition tables, and what must never be possible in them."""

from collections.abc import Mapping
from enum import StrEnum

import pytest
from foundation.clock import new_id
from fulfillment_kinguin.domain import line, purchase
from fulfillment_kinguin.domain.line import ForbiddenStep, LineState, check_line_step
from fulfillment_kinguin.domain.purchase import PurchaseState, check_step, external_id

S = PurchaseState


@pytest.mark.parametrize("table", [line.STEPS, purchase.STEPS])
def test_every_state_has_its_steps(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    assert set(table) == set(type(next(iter(table))))


@pytest.mark.parametrize("table", [line.STEPS, purchase.STEPS])
def test_every_state_can_be_reached(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    start, *others = table

    reached = {state for steps in table.values() for state in steps}

    assert set(others) <= reached | {start}


def test_nothing_is_posted_twice_without_a_search_between() -> None:
    before = {state for state, steps in purchase.STEPS.items() if S.PLACING in steps}

    assert before == {S.PLANNED, S.UNKNOWN}
    assert S.PLACING not in purchase.STEPS[S.PLACING]


def test_only_what_was_never_posted_is_handed_back() -> None:
    assert {s for s, steps in purchase.STEPS.items() if S.HANDED_BACK in steps} == {S.PLANNED}


def test_keys_that_were_sent_can_only_go_back() -> None:
    for state in PurchaseState:
        if state in {S.RETURN_REQUESTED, S.ABANDONED}:
            check_step(S.KEYS_READY, state)
        else:
            with pytest.raises(ForbiddenStep):
                check_step(S.KEYS_READY, state)


@pytest.mark.parametrize(
    "end", [S.ABANDONED, S.FAILED, S.HANDED_BACK, S.RETURNED, S.RETURN_REFUSED]
)
def test_an_end_is_final(end: PurchaseState) -> None:
    for state in PurchaseState:
        with pytest.raises(ForbiddenStep):
            check_step(end, state)


@pytest.mark.parametrize("state", [s for s in LineState if s not in line.OPEN])
def test_a_line_that_ended_does_not_move(state: LineState) -> None:
    with pytest.raises(ForbiddenStep):
        check_line_step(state, LineState.READY)


def test_external_id_is_the_same_for_the_same_attempt() -> None:
    line_id = new_id()

    assert external_id(line_id, 1) == f"{line_id}-1"
    assert external_id(line_id, 1) != external_id(line_id, 2)
