"""An order: its lines, its money, and the status that follows from both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Final
from uuid import UUID

from contracts import CoinAmount, Money, PaymentState, SourceType

from orders.domain.states import (
    LINE_STEPS,
    MONEY_STEPS,
    Cancellation,
    LineStatus,
    MoneyStatus,
    OrderStatus,
    ReservationStatus,
)

TOKEN_AFTER_DELIVERY: Final = timedelta(hours=72)
"""How long the order's own token holds after delivery (interfaces.md, Orders API)."""


TOO_LATE: Final = "not cancelled: the key was shown already"
CANCELLABLE: Final = frozenset(
    {LineStatus.REQUESTED, LineStatus.DELAYED, LineStatus.STORED, LineStatus.DELIVERED}
)
"""Lines for which somebody may hold keys, or be getting them."""

SOLD_OUT: Final = "sold out"
_CENT: Final = Decimal("0.01")
_NOT_PAID_YET: Final = frozenset({MoneyStatus.NONE, MoneyStatus.INVOICED, MoneyStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Change:
    """One row of history; `line_id` is None for the order itself."""

    line_id: UUID | None
    at: datetime
    status: str
    reason: str | None = None


@dataclass(slots=True)
class Delivery:
    """What orders knows about the delivery of a line."""

    id: UUID
    version: int
    ready_at: datetime | None
    reveals_left: int | None
    expires_at: datetime | None


@dataclass(slots=True)
class Line:
    """One product of an order; what was agreed when placing is frozen here."""

    id: UUID
    product_id: UUID
    title: str
    quantity: int
    unit_price: Decimal
    source_type: SourceType
    backorder: bool
    kinguin_product_id: str | None
    kinguin_offer_id: str | None
    status: LineStatus = LineStatus.WAITING
    delivery: Delivery | None = None
    cancellation: Cancellation | None = None
    requested_at: datetime | None = None
    replaces: UUID | None = None
    """The line whose key did not work; then this one costs nothing itself."""


@dataclass(slots=True)
class Order:
    """The aggregate; every change of status is remembered for the history."""

    id: UUID
    email: str
    currency: str
    placed_at: datetime
    expires_at: datetime
    lines: Sequence[Line]
    status: OrderStatus = OrderStatus.PLACED
    money: MoneyStatus = MoneyStatus.NONE
    cancelled: bool = False
    late: bool = False
    attention: list[str] = field(default_factory=list)
    invoice_url: str | None = None
    payment_state: str | None = None
    payment_id: str | None = None
    asked: CoinAmount | None = None
    paid: CoinAmount | None = None
    delivered_at: datetime | None = None
    reservation: ReservationStatus = ReservationStatus.NONE
    paid_at: datetime | None = None
    changes: list[Change] = field(default_factory=list)

    @property
    def total(self) -> Money:
        """The sum of the lines, exact."""
        amount = sum((line.unit_price * line.quantity for line in self.lines), Decimal(0))
        return Money(amount=amount, currency=self.currency)

    @property
    def source_type(self) -> str:
        """`custom`, `kinguin`, or `mixed`."""
        sources = {line.source_type.value for line in self.lines}
        return sources.pop() if len(sources) == 1 else "mixed"

    @property
    def is_paid(self) -> bool:
        """Whether the money is in, checked."""
        return self.money is MoneyStatus.PAID

    @property
    def is_accepted(self) -> bool:
        """Whether an admin took a part payment for the price, and the rest has not come since."""
        return self.is_paid and self.payment_state == PaymentState.PARTIALLY_PAID

    @property
    def may_be_paid(self) -> bool:
        """Whether the buyer is shown the invoice: what was ordered is held, or needs no holding."""
        is_held = self.reservation in {ReservationStatus.NONE, ReservationStatus.HELD}
        return is_held and not self.cancelled

    def line(self, line_id: UUID | None) -> Line | None:
        """The line with this id, if it is one of ours."""
        return next((line for line in self.lines if line.id == line_id), None)

    def is_replaced(self, line: Line) -> bool:
        """Whether another line serves instead of this one, whose key did not work."""
        return any(other.replaces == line.id for other in self.lines)

    def origin(self, line: Line) -> Line:
        """The line that was bought: the first of those that replace each other."""
        before = self.line(line.replaces) if line.replaces else None
        return line if before is None else self.origin(before)

    def token_holds(self, now: datetime) -> bool:
        """Whether the order's own access token still opens it."""
        return self.delivered_at is None or now < self.delivered_at + TOKEN_AFTER_DELIVERY

    def move_money(self, to: MoneyStatus, now: datetime, reason: str | None = None) -> bool:
        """Take a step of the money if the table allows it; say whether it did."""
        if to is self.money or to not in MONEY_STEPS[self.money]:
            return False
        self.money = to
        if to is MoneyStatus.EXPIRED and not self.cancelled:
            self.late = True  # whatever comes from now on: nothing is held any more
        self._settle_status(now, reason)
        return True

    def settle_reservation(self, now: datetime, *, held: bool) -> bool:
        """Apply the answer about the stock; whether it cancelled the order as sold out.

        Money that is on its way decides by itself: then the lines are asked for when it is in.
        """
        if self.reservation is not ReservationStatus.ASKED:
            return False
        self.reservation = ReservationStatus.HELD if held else ReservationStatus.REFUSED
        if not held and self.money in _NOT_PAID_YET:
            return self.cancel(now, SOLD_OUT)
        self._settle_status(now, None)
        return False

    def let_go_of_stock(self) -> bool:
        """Nobody pays in time; whether keys may be held that must be let go of."""
        may_hold = self.reservation in {ReservationStatus.ASKED, ReservationStatus.HELD}
        if may_hold:
            self.reservation = ReservationStatus.LET_GO
        return may_hold and not self.cancelled

    def move_line(
        self, line: Line, to: LineStatus, now: datetime, reason: str | None = None
    ) -> bool:
        """Take a step of a line if the table allows it; say whether it did."""
        if to is line.status or to not in LINE_STEPS[line.status]:
            return False
        line.status = to
        if to is LineStatus.REQUESTED and line.requested_at is None:
            line.requested_at = now
        self.changes.append(Change(line.id, now, to.value, reason))
        self._settle_status(now, reason)
        return True

    def confirm(self, now: datetime) -> bool:
        """The money is in. Never refused; False when it already was.

        A cancelled order owes it back. An expired or failed one is paid late.
        """
        if self.is_paid:
            return False
        is_over = self.late or self.money in {MoneyStatus.EXPIRED, MoneyStatus.FAILED}
        self.late = is_over and not self.cancelled
        self.money, self.paid_at = MoneyStatus.PAID, now
        self._settle_status(now, None)
        if self.cancelled:
            self.owe_back(self.lines, now, "paid after cancellation")
        return True

    def accept(self, now: datetime) -> bool:
        """An admin takes the part payment for the price, whatever was heard of it since."""
        self.payment_state = PaymentState.PARTIALLY_PAID.value
        return self.confirm(now)

    def owed_for(self, line: Line) -> Decimal:
        """What was paid for a line: its price, or its share of an accepted part payment."""
        price = self.origin(line).unit_price * line.quantity
        share = part_of(self.asked, self.paid)
        if not self.is_accepted or share is None:
            return price
        return (price * share).quantize(_CENT, ROUND_UP)

    def owe_back(self, lines: Iterable[Line], now: datetime, reason: str) -> None:
        """These lines get no key: their money is owed."""
        for line in lines:
            self.move_line(line, LineStatus.REFUND_DUE, now, reason)

    def cancel(self, now: datetime, reason: str) -> bool:
        """Cancel an unpaid order; False when it is paid or already cancelled."""
        if self.is_paid or self.cancelled:
            return False
        self.cancelled = True
        for line in self.lines:
            self.move_line(line, LineStatus.CANCELLED, now, reason)
        self._settle_status(now, reason)
        return True

    def ask_cancellation(self, line: Line, now: datetime, reason: str) -> bool:
        """Begin to cancel a paid line; False when there is nothing (more) to ask for.

        Only an answer makes it `refund_due`: until then keys may be on their way. A line that
        nobody was asked for is owed back at once.
        """
        if line.status is LineStatus.WAITING:
            return self.move_line(line, LineStatus.REFUND_DUE, now, reason)
        is_asked = line.cancellation is not None
        if line.status not in CANCELLABLE or is_asked or self.is_replaced(line):
            return False
        line.cancellation = Cancellation.ASKED
        self.changes.append(Change(line.id, now, line.status.value, f"to be cancelled: {reason}"))
        return True

    def refuse_cancellation(self, line: Line, now: datetime) -> None:
        """The buyer has seen the key: the line stays as it is, and nothing is owed for it."""
        if line.cancellation is not Cancellation.ASKED:
            return
        line.cancellation = Cancellation.REFUSED
        self.changes.append(Change(line.id, now, line.status.value, TOO_LATE))

    def flag(self, reason: str, now: datetime) -> None:
        """A person has to look."""
        if reason not in self.attention:
            self.attention.append(reason)
        self._settle_status(now, reason)

    def unflag(self, now: datetime, reason: str) -> None:
        """A person has looked."""
        self.attention.clear()
        self._settle_status(now, reason)

    def _settle_status(self, now: datetime, reason: str | None) -> None:
        status = derive_status(self)
        if status is self.status:
            return
        self.status = status
        if status is OrderStatus.FULFILLED:
            self.delivered_at = now
        self.changes.append(Change(None, now, status.value, reason))


def part_of(asked: CoinAmount | None, paid: CoinAmount | None) -> Decimal | None:
    """How much of what was asked for was paid, at most 1; None where that is not known."""
    if asked is None or paid is None or asked.amount <= 0:
        return None
    return min(Decimal(1), paid.amount / asked.amount)


def derive_status(order: Order) -> OrderStatus:
    """The status that follows from the money and the lines (design, section 4)."""
    if order.is_paid:
        return _paid_status(order)
    if order.attention:
        return OrderStatus.NEEDS_ATTENTION
    if order.cancelled:
        return OrderStatus.CANCELLED
    if order.money is MoneyStatus.INVOICED and not order.may_be_paid:
        return OrderStatus.PLACED
    return _UNPAID[order.money]


_UNPAID: Final = {
    MoneyStatus.NONE: OrderStatus.PLACED,
    MoneyStatus.INVOICED: OrderStatus.AWAITING_PAYMENT,
    MoneyStatus.CONFIRMING: OrderStatus.CONFIRMING,
    MoneyStatus.UNDERPAID: OrderStatus.UNDERPAID,
    MoneyStatus.FAILED: OrderStatus.PAYMENT_FAILED,
    MoneyStatus.EXPIRED: OrderStatus.EXPIRED,
}


def _paid_status(order: Order) -> OrderStatus:
    states = {line.status for line in order.lines}
    if LineStatus.REFUND_DUE in states:
        return OrderStatus.REFUND_DUE
    if states == {LineStatus.REFUNDED}:
        return OrderStatus.REFUNDED
    if order.attention:
        return OrderStatus.NEEDS_ATTENTION
    if states <= {LineStatus.DELIVERED, LineStatus.REFUNDED}:
        return OrderStatus.FULFILLED
    if states == {LineStatus.WAITING}:
        return OrderStatus.PAID_LATE if order.late else OrderStatus.PAID
    return OrderStatus.FULFILLING
