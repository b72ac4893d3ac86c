"""Bad keys: when one can be reported, by when somebody must look, and that one decision holds."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from contracts import CoinAmount, SourceType
from foundation.clock import new_id
from orders.domain.bad_key import (
    CaseAction,
    CaseState,
    Resolution,
    has_sold_key,
    looks_like_key,
    open_case,
    replacing_line,
    report_until,
)
from orders.domain.order import Delivery, Line, Order
from orders.domain.states import Cancellation, LineStatus
from orders.errors import ActionRefused
from orders.testing import NOW, a_line, a_paid_order

LIMIT = timedelta(days=14)
REPLACE = Resolution(CaseAction.REPLACE, "ann", "the supplier confirmed it", "T-1")


def delivered(
    *lines: Line, ready_at: datetime = NOW, status: LineStatus = LineStatus.STORED
) -> Order:
    order = a_paid_order(*lines)
    for line in order.lines:
        line.delivery = Delivery(new_id(), 1, ready_at, 5, None)
        order.move_line(line, status, NOW)
    return order


@pytest.mark.parametrize(
    ("status", "can"),
    [
        (LineStatus.STORED, True),
        (LineStatus.DELIVERED, True),
        (LineStatus.DELAYED, False),
        (LineStatus.REFUND_DUE, False),
    ],
)
def test_only_a_key_that_its_buyer_has_can_be_reported(status: LineStatus, *, can: bool) -> None:
    order = delivered(status=status)

    assert (report_until(order, order.lines[0], LIMIT) is not None) is can


def test_key_that_is_being_taken_back_cannot_be_reported() -> None:
    order = delivered()
    order.lines[0].cancellation = Cancellation.ASKED
    assert not has_sold_key(order, order.lines[0])

    order.lines[0].cancellation = Cancellation.REFUSED
    assert has_sold_key(order, order.lines[0])


def test_time_to_report_ends_to_the_second() -> None:
    order = delivered()
    end = NOW + LIMIT

    open_case(order, order.lines[0], "used", end - timedelta(seconds=1), LIMIT)
    with pytest.raises(ActionRefused, match="14 days"):
        open_case(order, order.lines[0], "used", end, LIMIT)


@pytest.mark.parametrize(
    ("source", "after_h", "return_h", "due_h"),
    [
        (SourceType.KINGUIN, 1, 24, 18),
        (SourceType.KINGUIN, 20, 24, 20),
        (SourceType.KINGUIN, 24, 24, 24 + 72),
        (SourceType.CUSTOM, 1, None, 1 + 72),
    ],
)
def test_case_is_due_before_the_supplier_s_window_ends(
    source: SourceType, after_h: float, return_h: float | None, due_h: float
) -> None:
    order = delivered(a_line(source_type=source))

    case = open_case(order, order.lines[0], "used", NOW + timedelta(hours=after_h), LIMIT)

    window = None if return_h is None else NOW + timedelta(hours=return_h)
    assert (case.return_until, case.due_at) == (window, NOW + timedelta(hours=due_h))


def test_the_very_same_decision_changes_nothing_and_any_other_is_refused() -> None:
    order = delivered()
    case = open_case(order, order.lines[0], "used", NOW, LIMIT)

    assert case.resolve(REPLACE, NOW)
    assert not case.resolve(REPLACE, NOW + timedelta(hours=1))
    for other in (
        Resolution(CaseAction.REFUND, "ann", REPLACE.reason, "T-1"),
        Resolution(CaseAction.REPLACE, "ben", REPLACE.reason, "T-1"),
        Resolution(CaseAction.REPLACE, "ann", "another reason", "T-1"),
    ):
        with pytest.raises(ActionRefused, match="replaced already, by ann"):
            case.resolve(other, NOW)
    assert (case.state, case.resolved_at) == (CaseState.REPLACED, NOW)


def test_replacing_line_costs_nothing_and_owes_what_the_first_one_cost() -> None:
    order = delivered(a_line(quantity=2))
    first = order.lines[0]
    second = replacing_line(first, backorder=True)
    third = replacing_line(second, backorder=True)
    before = order.total
    order.lines = [first, second, third]

    assert order.total == before
    assert [order.owed_for(line) for line in order.lines] == [Decimal(50)] * 3
    assert [order.is_replaced(line) for line in order.lines] == [True, True, False]
    assert not order.ask_cancellation(first, NOW, "why")


def test_replacing_line_of_an_accepted_part_payment_owes_its_share() -> None:
    order = delivered(a_line())
    order.payment_state = "partially_paid"
    order.asked = CoinAmount(amount=Decimal("0.003"), currency="btc")
    order.paid = CoinAmount(amount=Decimal("0.002"), currency="btc")
    order.lines = [order.lines[0], replacing_line(order.lines[0], backorder=True)]

    assert order.owed_for(order.lines[1]) == Decimal("16.67")


@pytest.mark.parametrize(
    ("text", "is_key"),
    [
        ("The shop says that it was used already.", False),
        ("Error 0x80072ee7 since 2026-11-23, well-known-problem", False),
        ("ABCDE-FGHIJ-KLMNO does not work", True),
        ("my key abcd1-efgh2-ijkl3: used", True),
        ("AB12CD34EF56GH78 is used", True),
        ("internationalization", False),
    ],
)
def test_text_with_a_key_is_noticed(text: str, *, is_key: bool) -> None:
    assert looks_like_key(text) is is_key
