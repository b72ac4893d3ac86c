"""An order's status follows from its money and its lines."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders.domain.order import Order
from orders.domain.states import LINE_STEPS, MONEY_STEPS, LineStatus, MoneyStatus, OrderStatus
from orders.domain.status_text import READY_TEXT, STATUS_TEXT, status_text
from orders.testing import NOW, a_line, an_order


def status_of(order: Order) -> OrderStatus:
    return order.status


def test_order_walks_from_placed_to_fulfilled() -> None:
    order = an_order()
    [line] = order.lines

    seen = [order.status]
    order.move_money(MoneyStatus.INVOICED, NOW)
    seen.append(order.status)
    order.move_money(MoneyStatus.CONFIRMING, NOW)
    seen.append(order.status)
    order.confirm(NOW)
    seen.append(order.status)
    order.move_line(line, LineStatus.REQUESTED, NOW)
    seen.append(order.status)
    order.move_line(line, LineStatus.STORED, NOW)
    order.move_line(line, LineStatus.DELIVERED, NOW)
    seen.append(order.status)

    assert seen == [
        OrderStatus.PLACED,
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.CONFIRMING,
        OrderStatus.PAID,
        OrderStatus.FULFILLING,
        OrderStatus.FULFILLED,
    ]
    assert [change.status for change in order.changes if change.line_id is None] == seen[1:]


def test_order_is_fulfilled_only_when_every_line_is_delivered() -> None:
    first, second = a_line(), a_line()
    order = an_order(first, second)
    order.confirm(NOW)
    for line in (first, second):
        order.move_line(line, LineStatus.REQUESTED, NOW)
    order.move_line(first, LineStatus.DELIVERED, NOW)
    assert status_of(order) is OrderStatus.FULFILLING

    order.move_line(second, LineStatus.DELIVERED, NOW)

    assert order.status is OrderStatus.FULFILLED
    assert order.delivered_at == NOW


@pytest.mark.parametrize("money", [MoneyStatus.EXPIRED, MoneyStatus.FAILED])
def test_money_after_expiry_or_failure_is_late(money: MoneyStatus) -> None:
    order = an_order(money=money)

    assert order.confirm(NOW)

    assert order.status is OrderStatus.PAID_LATE


def test_money_for_a_cancelled_order_is_owed_back() -> None:
    order = an_order()
    order.cancel(NOW, "asked for")

    order.confirm(NOW)

    assert order.status is OrderStatus.REFUND_DUE
    assert {line.status for line in order.lines} == {LineStatus.REFUND_DUE}


def test_second_confirmation_changes_nothing() -> None:
    order = an_order()
    order.confirm(NOW)
    order.changes.clear()

    assert not order.confirm(NOW)

    assert order.changes == []


def test_paid_order_cannot_be_cancelled() -> None:
    order = an_order()
    order.confirm(NOW)

    assert not order.cancel(NOW, "too late")

    assert order.status is OrderStatus.PAID


def test_attention_shows_until_somebody_looked() -> None:
    order = an_order()
    order.confirm(NOW)

    order.flag("mail failed", NOW)
    assert status_of(order) is OrderStatus.NEEDS_ATTENTION
    order.unflag(NOW, "called the customer")

    assert order.status is OrderStatus.PAID


def test_token_holds_until_72_hours_after_delivery() -> None:
    order = an_order(delivered_at=NOW)

    assert order.token_holds(NOW + timedelta(hours=71))
    assert not order.token_holds(NOW + timedelta(hours=72))
    assert an_order().token_holds(NOW + timedelta(days=30))


@given(st.lists(st.sampled_from(list(MoneyStatus)), max_size=12))
def test_no_news_ever_takes_money_back(steps: list[MoneyStatus]) -> None:
    order = an_order()
    order.confirm(NOW)

    for step in steps:
        order.move_money(step, NOW)

    assert order.is_paid


@given(st.lists(st.sampled_from(list(LineStatus)), max_size=12))
def test_line_history_is_a_path_of_the_declared_graph(steps: list[LineStatus]) -> None:
    order = an_order()
    [line] = order.lines
    path = [line.status]

    for step in steps:
        order.move_line(line, step, NOW)
        path.append(line.status)

    moves = [(a, b) for a, b in pairwise(path) if a is not b]
    assert all(b in LINE_STEPS[a] for a, b in moves)


def test_tables_name_every_state() -> None:
    assert set(LINE_STEPS) == set(LineStatus)
    assert set(MONEY_STEPS) == set(MoneyStatus)
    assert set(STATUS_TEXT) == set(OrderStatus)


def test_text_offers_the_key_as_soon_as_one_is_ready() -> None:
    preparing = status_text(OrderStatus.FULFILLING, has_ready_key=False)

    assert preparing == "Your key is being prepared…"
    assert status_text(OrderStatus.FULFILLING, has_ready_key=True) == READY_TEXT
    assert status_text(OrderStatus.REFUND_DUE, has_ready_key=True) != READY_TEXT


@pytest.mark.parametrize("cancel_first", [True, False])
def test_part_payment_of_a_cancelled_order_leaves_it_cancelled(*, cancel_first: bool) -> None:
    order = an_order()
    steps: list[Callable[[], bool]] = [
        lambda: order.cancel(NOW, "asked for"),
        lambda: order.move_money(MoneyStatus.UNDERPAID, NOW),
    ]

    for step in steps if cancel_first else reversed(steps):
        step()

    assert (status_of(order), order.attention) == (OrderStatus.CANCELLED, [])
