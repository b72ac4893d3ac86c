"""An order as payments sees it: what it costs, and where its invoice is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import Money, PaymentState


class InvoiceState(StrEnum):
    """Where the invoice of an order is."""

    PLACED = "placed"
    INVOICED = "invoiced"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SETTLED = "settled"


_I = InvoiceState
STEPS: Final[dict[InvoiceState, frozenset[InvoiceState]]] = {
    _I.PLACED: frozenset({_I.INVOICED, _I.REFUSED, _I.EXPIRED, _I.CANCELLED, _I.SETTLED}),
    _I.INVOICED: frozenset({_I.EXPIRED, _I.CANCELLED, _I.SETTLED}),
    _I.REFUSED: frozenset({_I.CANCELLED, _I.SETTLED}),
    _I.EXPIRED: frozenset({_I.CANCELLED, _I.SETTLED}),
    _I.CANCELLED: frozenset({_I.SETTLED}),
    _I.SETTLED: frozenset(),
}
"""Which step an invoice may take: money is never refused, and nothing undoes it."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """One order with its invoice; the two ids of the gateway are None until it was made.

    `settled_by` is the payment that paid the order, `is_accepted` whether it is only a part of
    the price that an admin took for all; `reported` the last state told to orders.
    """

    order_id: UUID
    price: Money
    description: str
    placed_at: datetime
    expires_at: datetime
    state: InvoiceState = InvoiceState.PLACED
    invoice_id: str | None = None
    invoice_url: str | None = None
    settled_by: str | None = None
    is_accepted: bool = False
    reported: PaymentState | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether an invoice still has to be made."""
        return self.state is InvoiceState.PLACED

    def may_become(self, state: InvoiceState) -> bool:
        """Whether the table allows the step."""
        return state in STEPS[self.state]
