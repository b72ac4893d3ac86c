"""Whatever happens to an order, in whatever order it is heard of."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from orders.domain.order import Order, derive_status
from orders.domain.states import LINE_STEPS, LineStatus, MoneyStatus, OrderStatus
from orders.testing import NOW, a_line, an_order

HEARD_OF_LINES = sorted(set(LineStatus) - {LineStatus.WAITING, LineStatus.CANCELLED})
UNPAID = {
    OrderStatus.PLACED,
    OrderStatus.AWAITING_PAYMENT,
    OrderStatus.CONFIRMING,
    OrderStatus.UNDERPAID,
    OrderStatus.EXPIRED,
    OrderStatus.PAYMENT_FAILED,
    OrderStatus.CANCELLED,
}


@dataclass(frozen=True)
class Money:
    to: MoneyStatus

    def happen(self, order: Order) -> None:
        order.move_money(self.to, NOW)


@dataclass(frozen=True)
class Confirmed:
    def happen(self, order: Order) -> None:
        order.confirm(NOW)


@dataclass(frozen=True)
class Cancelled:
    def happen(self, order: Order) -> None:
        order.cancel(NOW, "asked for")


@dataclass(frozen=True)
class LineMoved:
    position: int
    to: LineStatus

    def happen(self, order: Order) -> None:
        if order.is_paid:  # nobody is asked for the keys of an unpaid line
            order.move_line(order.lines[self.position], self.to, NOW)


@dataclass(frozen=True)
class Flagged:
    def happen(self, order: Order) -> None:
        order.flag("look", NOW)


@dataclass(frozen=True)
class LookedAt:
    def happen(self, order: Order) -> None:
        order.unflag(NOW, "looked")


Event = Money | Confirmed | Cancelled | LineMoved | Flagged | LookedAt
UNCONFIRMED = sorted(set(MoneyStatus) - {MoneyStatus.PAID})
EVENTS = st.lists(
    st.sampled_from(UNCONFIRMED).map(Money)
    | st.just(Confirmed())
    | st.just(Cancelled())
    | st.builds(LineMoved, st.integers(0, 1), st.sampled_from(HEARD_OF_LINES))
    | st.just(Flagged())
    | st.just(LookedAt()),
    max_size=25,
)


def after(events: list[Event]) -> Order:
    order = an_order(a_line(), a_line())
    for event in events:
        event.happen(order)
    return order


@given(EVENTS)
def test_status_is_what_money_and_lines_say(events: list[Event]) -> None:
    order = after(events)

    assert order.status is derive_status(order)


@given(EVENTS)
def test_confirmed_money_is_never_forgotten(events: list[Event]) -> None:
    order = after([*events, Confirmed()])

    assert order.is_paid
    assert order.status not in UNPAID
    assert all(line.status is not LineStatus.CANCELLED for line in order.lines)


@given(EVENTS, EVENTS)
def test_cancelled_order_sends_no_key_and_owes_what_is_paid(
    before: list[Event], later: list[Event]
) -> None:
    order = after([Cancelled(), *before, *later])

    settled = {LineStatus.CANCELLED, LineStatus.REFUND_DUE, LineStatus.REFUNDED}
    assert {line.status for line in order.lines} <= settled
    assert order.is_paid == any(isinstance(event, Confirmed) for event in before + later)


@given(EVENTS)
def test_unpaid_order_has_no_line_anybody_works_on(events: list[Event]) -> None:
    order = after([event for event in events if not isinstance(event, Confirmed)])

    assert not order.is_paid
    assert {line.status for line in order.lines} <= {LineStatus.WAITING, LineStatus.CANCELLED}


@given(EVENTS)
def test_fulfilled_means_every_line_has_its_key_or_its_money(events: list[Event]) -> None:
    order = after(events)

    ends = {LineStatus.DELIVERED, LineStatus.REFUNDED}
    is_done = order.is_paid and {line.status for line in order.lines} <= ends
    shown = {OrderStatus.FULFILLED, OrderStatus.REFUNDED, OrderStatus.NEEDS_ATTENTION}
    assert (order.status in shown) >= is_done
    if order.status is OrderStatus.FULFILLED:
        assert is_done
        assert order.delivered_at == NOW


@given(EVENTS)
def test_money_that_is_owed_shows_before_anything_else(events: list[Event]) -> None:
    order = after(events)

    owed = order.is_paid and any(line.status is LineStatus.REFUND_DUE for line in order.lines)
    assert (order.status is OrderStatus.REFUND_DUE) == owed


@given(EVENTS)
def test_history_tells_every_step_of_every_line(events: list[Event]) -> None:
    order = after(events)

    for line in order.lines:
        told = [LineStatus(c.status) for c in order.changes if c.line_id == line.id]
        path = [LineStatus.WAITING, *told]
        assert path[-1] is line.status
        assert all(step in LINE_STEPS[last] for last, step in pairwise(path))


@given(EVENTS)
def test_same_event_twice_in_a_row_is_as_good_as_once(events: list[Event]) -> None:
    once, twice = after(events), after([event for event in events for _ in range(2)])

    assert (once.status, once.money) == (twice.status, twice.money)
    assert [line.status for line in once.lines] == [line.status for line in twice.lines]
