"""The JSON of refunds: for the buyer with the address given, for admins with who and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from orders.domain.order import Order
from orders.domain.refund import Refund, RefundState
from orders.domain.refund_address import COINS, MAX_CHARACTERS
from orders.domain.refund_texts import refund_text
from orders.entrypoints.schemas import STORABLE, AmountText, In

TX_HASH: Final = r"^[A-Za-z0-9]{8,128}$"


class RefundOut(BaseModel):
    """One refund as the order page shows it: never the address."""

    id: UUID
    item_id: UUID | None
    payment_id: str | None
    amount: AmountText
    currency: str | None
    state: RefundState
    text: str
    tx_hash: str | None
    due_at: datetime
    sent_at: datetime | None

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The buyer's view."""
        return cls(**_shared(refund), text=refund_text(refund))


class CoinOut(BaseModel):
    """A coin that refunds can be sent in; `code` is what the address goes with."""

    code: str
    name: str
    network: str
    looks_like: str


class RefundPageOut(BaseModel):
    """What is owed of an order, and where it is to be sent."""

    order_id: UUID
    refunds: list[RefundOut]
    coin: str | None
    address: str | None
    can_be_changed: bool
    coins: list[CoinOut]


class AddressIn(In):
    """Where the buyer wants the money."""

    coin: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,20}$")]
    address: Annotated[str, StringConstraints(min_length=1, max_length=2 * MAX_CHARACTERS)]


class AdminRefundOut(BaseModel):
    """A refund as admins see it."""

    id: UUID
    order_id: UUID
    item_id: UUID | None
    payment_id: str | None
    subject: str
    amount: AmountText
    currency: str | None
    reason: str
    state: RefundState
    coin: str | None
    address: str | None
    address_version: int
    tx_hash: str | None
    actor: str
    due_at: datetime
    address_given_at: datetime | None
    sent_at: datetime | None
    order_attention: list[str]

    @classmethod
    def of(cls, refund: Refund, attention: Mapping[UUID, Sequence[str]]) -> Self:
        """The admin view, with why people have to look at the orders, by order id."""
        destination = refund.destination
        return cls(
            **_shared(refund),
            order_id=refund.order_id,
            subject=refund.subject,
            reason=refund.reason,
            coin=destination.coin if destination else None,
            address=destination.address if destination else None,
            address_version=refund.address_version,
            actor=refund.actor,
            address_given_at=refund.address_given_at,
            order_attention=list(attention.get(refund.order_id, ())),
        )


class SentIn(In):
    """The transaction that sent it."""

    tx_hash: Annotated[str, StringConstraints(pattern=TX_HASH)]
    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=STORABLE),
    ] = Field(description="goes into the audit log")


def refund_page(order: Order, refunds: Sequence[Refund]) -> RefundPageOut:
    """The page's data; the address shown is the one that was given last."""
    given = [refund for refund in refunds if refund.destination is not None]
    latest = max(given, key=lambda r: r.address_given_at or r.due_at, default=None)
    destination = latest.destination if latest else None
    return RefundPageOut(
        order_id=order.id,
        refunds=[RefundOut.of(refund) for refund in refunds],
        coin=destination.coin if destination else None,
        address=destination.address if destination else None,
        can_be_changed=any(not refund.is_sent for refund in refunds),
        coins=[
            CoinOut(code=c.code, name=c.name, network=c.network, looks_like=c.looks_like)
            for c in COINS.values()
        ],
    )


def _shared(refund: Refund) -> dict[str, object]:
    return {
        "id": refund.id,
        "item_id": refund.line_id,
        "payment_id": refund.payment_id,
        "amount": refund.amount,
        "currency": refund.currency,
        "state": refund.state,
        "tx_hash": refund.tx_hash,
        "due_at": refund.due_at,
        "sent_at": refund.sent_at,
    }
