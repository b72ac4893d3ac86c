"""Money that is owed back: for one line, or for one payment that fulfils nothing.

The buyer says where to send it and may change that until it is sent; a person sends it and
records the transaction. One refund never covers another: an order is paid back in parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from orders.errors import ActionRefused

SYSTEM: Final = "system"
BUYER: Final = "buyer"


class RefundState(StrEnum):
    """Where a refund is."""

    DUE = "due"
    ADDRESS_GIVEN = "address_given"
    SENT = "sent"


_S = RefundState
REFUND_STEPS: Final[dict[RefundState, frozenset[RefundState]]] = {
    _S.DUE: frozenset({_S.ADDRESS_GIVEN, _S.SENT}),
    _S.ADDRESS_GIVEN: frozenset({_S.ADDRESS_GIVEN, _S.SENT}),
    _S.SENT: frozenset(),
}
"""A person may have heard the address in another way; what was sent stays sent."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a buyer wants the money: customer data, so it is in no repr."""

    coin: str
    address: str = field(repr=False)


@dataclass(slots=True)
class Refund:
    """One row; either `line_id` or `payment_id` says what it is for.

    `currency` is the order's for a line, a coin for a payment, None for a coin nobody knows.
    `address_version` counts the addresses given; the `told` fields what the buyer was mailed.
    """

    id: UUID
    order_id: UUID
    line_id: UUID | None
    payment_id: str | None
    subject: str
    amount: Decimal
    currency: str | None
    reason: str
    due_at: datetime
    state: RefundState = RefundState.DUE
    destination: Destination | None = None
    address_version: int = 0
    tx_hash: str | None = None
    actor: str = SYSTEM
    address_given_at: datetime | None = None
    sent_at: datetime | None = None
    due_told: bool = False
    address_told: int = 0
    sent_told: bool = False

    @property
    def is_sent(self) -> bool:
        """Whether the money has left."""
        return self.state is RefundState.SENT

    def give_address(self, destination: Destination, now: datetime) -> bool:
        """Take where to send it; False when that was known, or when it has been sent."""
        if self.is_sent or destination == self.destination:
            return False
        self.destination, self.address_given_at = destination, now
        self.address_version += 1
        self.state, self.actor = RefundState.ADDRESS_GIVEN, BUYER
        return True

    def send(self, tx_hash: str, actor: str, now: datetime) -> bool:
        """Record the transaction; False when this very one is recorded already.

        Raises:
            ActionRefused: it was sent by another transaction.
        """
        if self.is_sent and tx_hash == self.tx_hash:
            return False
        if self.is_sent:
            raise ActionRefused(f"it was sent already, by transaction {self.tx_hash}")
        self.state, self.sent_at = RefundState.SENT, now
        self.tx_hash, self.actor = tx_hash, actor
        return True

    def raise_to(self, amount: Decimal) -> bool:
        """More of the same payment has come; False when it was sent and is too little now."""
        if amount <= self.amount:
            return True
        if self.is_sent:
            return False
        self.amount = amount
        return True


@dataclass(frozen=True, slots=True)
class News:
    """Steps of refunds that the buyer is mailed about, those of one kind in one mail."""

    due: Sequence[Refund]
    address_given: Sequence[Refund]
    sent: Sequence[Refund]


def untold(refunds: Sequence[Refund]) -> News:
    """What the buyer has not been told yet."""
    return News(
        due=[r for r in refunds if not r.due_told],
        address_given=[r for r in refunds if r.address_told < r.address_version],
        sent=[r for r in refunds if r.is_sent and not r.sent_told],
    )


def mark_told(news: News) -> None:
    """The mails are on their way."""
    for refund in news.due:
        refund.due_told = True
    for refund in news.address_given:
        refund.address_told = refund.address_version
    for refund in news.sent:
        refund.sent_told = True
