"""The states of a line that wants keys from own stock."""

import pytest
from contracts import FulfillmentState
from fulfillment_custom.domain.line import ANSWERS, STEPS, LineState


def test_table_names_every_state() -> None:
    assert set(STEPS) == set(LineState)


@pytest.mark.parametrize("state", [LineState.ASSIGNED, LineState.RELEASED, LineState.FAILED])
def test_end_is_final(state: LineState) -> None:
    assert STEPS[state] == frozenset()


def test_every_state_without_keys_has_an_answer_for_orders() -> None:
    assert set(ANSWERS) == set(LineState) - {LineState.ASSIGNED}


def test_line_that_waits_is_said_to_be_delayed_and_not_lost() -> None:
    assert ANSWERS[LineState.WAITING][0] is FulfillmentState.DELAYED
    assert ANSWERS[LineState.FAILED][0] is FulfillmentState.FAILED
