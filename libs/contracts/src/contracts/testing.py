"""Builders of valid messages for the tests of every service.

Every argument has a default, so a test states only what matters to it. Ids are fresh at
each call; the time is one fixed moment. `model_copy` makes the odd cases (a None id).
"""

import secrets
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypedDict, Unpack
from uuid import UUID

from contracts.delivery_updated import DeliveryState, DeliveryUpdated
from contracts.email_requested import EmailRequested
from contracts.fulfillment_requested_custom import FulfillmentRequestedCustom
from contracts.fulfillment_requested_kinguin import FulfillmentRequestedKinguin
from contracts.fulfillment_updated import FulfillmentState, FulfillmentUpdated
from contracts.key_ready import KeyReady
from contracts.offer_updated import OfferUpdated
from contracts.order_cancelled import OrderCancelled
from contracts.order_placed import OrderPlaced, PlacedLine
from contracts.payment_confirmed import PaymentConfirmed
from contracts.payment_updated import PaymentState, PaymentUpdated
from contracts.rollout_changed import RolloutChanged
from contracts.stock_returned import StockReturned
from contracts.stock_updated import Reservation, StockLevel, StockUpdated
from contracts.values import CoinAmount, Money, Sealed, SealedKey, SourceType

OCCURRED_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Envelope(TypedDict, total=False):
    """What every builder also takes."""

    id: UUID
    occurred_at: datetime


class OrderEnvelope(Envelope, total=False):
    """What every builder of a message about one order also takes."""

    order_id: UUID


def a_uuid() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def _envelope(given: Envelope) -> Envelope:
    return {
        "id": given.get("id") or a_uuid(),
        "occurred_at": given.get("occurred_at", OCCURRED_AT),
    }


def _order_envelope(given: OrderEnvelope) -> OrderEnvelope:
    return {**_envelope(given), "order_id": given.get("order_id") or a_uuid()}


def a_price(amount: str = "25.00", currency: str = "USD") -> Money:
    """Money, by default 25 US dollars."""
    return Money(amount=Decimal(amount), currency=currency)


def a_coin_amount(amount: str = "0.00025", currency: str = "btc") -> CoinAmount:
    """An amount of a coin, by default some bitcoin."""
    return CoinAmount(amount=Decimal(amount), currency=currency)


def a_sealed(
    *,
    recipient_key_id: str = "test-key",
    info: tuple[str, ...] = ("bitloot.test", "1"),
    ciphertext: str = "c2VhbGVkIGZvciBkZWxpdmVyeQ",
) -> Sealed:
    """A sealed secret that nobody can open; real ones come from servicekit."""
    return Sealed(recipient_key_id=recipient_key_id, info=info, ciphertext=ciphertext)


def a_sealed_key(
    *,
    key_id: UUID | None = None,
    fingerprint: str | None = None,
    media_type: str = "text/plain",
    sealed: Sealed | None = None,
) -> SealedKey:
    """A sealed game key, by default unlike any other."""
    return SealedKey(
        key_id=key_id or a_uuid(),
        fingerprint=fingerprint or secrets.token_hex(32),
        media_type=media_type,
        sealed=sealed or a_sealed(),
    )


def a_placed_line(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    quantity: int = 1,
    source_type: SourceType = SourceType.CUSTOM,
) -> PlacedLine:
    """One line of an order, by default one key from own stock."""
    return PlacedLine(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        quantity=quantity,
        source_type=source_type,
    )


def an_order_placed(
    *,
    total: Money | None = None,
    expires_at: datetime = OCCURRED_AT + timedelta(hours=1),
    description: str = "1 game key",
    lines: tuple[PlacedLine, ...] | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> OrderPlaced:
    """An order of one custom line over 25 US dollars."""
    return OrderPlaced(
        total=total or a_price(),
        expires_at=expires_at,
        description=description,
        lines=(a_placed_line(),) if lines is None else lines,
        **_order_envelope(envelope),
    )


def an_order_cancelled(
    *,
    line_ids: tuple[UUID, ...] | None = None,
    reason: str = "expired",
    **envelope: Unpack[OrderEnvelope],
) -> OrderCancelled:
    """One line that is not wanted any more."""
    return OrderCancelled(
        line_ids=(a_uuid(),) if line_ids is None else line_ids,
        reason=reason,
        **_order_envelope(envelope),
    )


def a_payment_confirmed(
    *,
    payment_id: str = "4522625843",
    price: Money | None = None,
    paid: CoinAmount | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> PaymentConfirmed:
    """25 US dollars came in as bitcoin."""
    return PaymentConfirmed(
        payment_id=payment_id,
        price=price or a_price(),
        paid=paid or a_coin_amount(),
        **_order_envelope(envelope),
    )


def a_payment_updated(
    *,
    state: PaymentState = PaymentState.WAITING,
    price: Money | None = None,
    invoice_url: str | None = "https://nowpayments.io/payment/?iid=5550001111",
    payment_id: str | None = None,
    pay_currency: str | None = None,
    asked: CoinAmount | None = None,
    paid: CoinAmount | None = None,
    reason: str | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> PaymentUpdated:
    """A payment that waits for the buyer."""
    return PaymentUpdated(
        state=state,
        price=price or a_price(),
        invoice_url=invoice_url,
        payment_id=payment_id,
        pay_currency=pay_currency,
        asked=asked,
        paid=paid,
        reason=reason,
        **_order_envelope(envelope),
    )


def a_fulfillment_requested_custom(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    title: str = "Half-Life 3",
    quantity: int = 1,
    lines_in_order: int = 1,
    buyer: Sealed | None = None,
    backorder: bool = True,
    **envelope: Unpack[OrderEnvelope],
) -> FulfillmentRequestedCustom:
    """One paid line that wants one key from own stock."""
    return FulfillmentRequestedCustom(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        title=title,
        quantity=quantity,
        lines_in_order=lines_in_order,
        buyer=buyer or a_sealed(),
        backorder=backorder,
        **_order_envelope(envelope),
    )


def a_fulfillment_requested_kinguin(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    title: str = "Half-Life 3",
    quantity: int = 1,
    kinguin_product_id: str = "5c9b5c9b5c9b5c9b5c9b0001",
    kinguin_offer_id: str | None = "5f7e5f7e5f7e5f7e5f7e0001",
    highest_unit_price: Money | None = None,
    lines_in_order: int = 1,
    buyer: Sealed | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> FulfillmentRequestedKinguin:
    """One paid line that wants one key bought for at most 20 euros."""
    return FulfillmentRequestedKinguin(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        title=title,
        quantity=quantity,
        kinguin_product_id=kinguin_product_id,
        kinguin_offer_id=kinguin_offer_id,
        highest_unit_price=highest_unit_price or a_price("20.00", "EUR"),
        lines_in_order=lines_in_order,
        buyer=buyer or a_sealed(),
        **_order_envelope(envelope),
    )


def a_fulfillment_updated(
    *,
    line_id: UUID | None = None,
    source_type: SourceType = SourceType.CUSTOM,
    state: FulfillmentState = FulfillmentState.DELAYED,
    reason: str | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> FulfillmentUpdated:
    """A line that waits for stock."""
    return FulfillmentUpdated(
        line_id=line_id or a_uuid(),
        source_type=source_type,
        state=state,
        reason=reason,
        **_order_envelope(envelope),
    )


def a_key_ready(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    title: str = "Half-Life 3",
    source_type: SourceType = SourceType.CUSTOM,
    keys: tuple[SealedKey, ...] | None = None,
    lines_in_order: int = 1,
    buyer: Sealed | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> KeyReady:
    """One key of a line of one, sealed."""
    return KeyReady(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        title=title,
        source_type=source_type,
        keys=(a_sealed_key(),) if keys is None else keys,
        lines_in_order=lines_in_order,
        buyer=buyer or a_sealed(),
        **_order_envelope(envelope),
    )


def a_delivery_updated(
    *,
    line_id: UUID | None = None,
    delivery_id: UUID | None = None,
    state: DeliveryState = DeliveryState.STORED,
    version: int = 1,
    ready_at: datetime | None = OCCURRED_AT,
    reveals_left: int | None = 5,
    expires_at: datetime | None = OCCURRED_AT + timedelta(hours=72),
    reason: str | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> DeliveryUpdated:
    """A delivery whose keys lie in the store, not revealed yet."""
    return DeliveryUpdated(
        line_id=line_id or a_uuid(),
        delivery_id=delivery_id or a_uuid(),
        state=state,
        version=version,
        ready_at=ready_at,
        reveals_left=reveals_left,
        expires_at=expires_at,
        reason=reason,
        **_order_envelope(envelope),
    )


def a_stock_level(*, product_id: UUID | None = None, free: int = 3, version: int = 1) -> StockLevel:
    """Three free keys of a product."""
    return StockLevel(product_id=product_id or a_uuid(), free=free, version=version)


def a_reservation(*, order_id: UUID | None = None, held: bool = True) -> Reservation:
    """An order whose custom lines are held."""
    return Reservation(order_id=order_id or a_uuid(), held=held)


def a_stock_updated(
    *,
    level: StockLevel | None = None,
    reservation: Reservation | None = None,
    **envelope: Unpack[Envelope],
) -> StockUpdated:
    """A stock level, unless a reservation is given."""
    return StockUpdated(
        level=level or (None if reservation else a_stock_level()),
        reservation=reservation,
        **_envelope(envelope),
    )


def a_stock_returned(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    keys: tuple[SealedKey, ...] | None = None,
    **envelope: Unpack[OrderEnvelope],
) -> StockReturned:
    """One bought key that nobody wants any more."""
    return StockReturned(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        keys=(a_sealed_key(),) if keys is None else keys,
        **_order_envelope(envelope),
    )


def a_rollout_changed(
    *,
    kinguin_enabled: bool = True,
    rollout_percent: int = 100,
    version: int = 1,
    **envelope: Unpack[Envelope],
) -> RolloutChanged:
    """Kinguin is on for every product."""
    return RolloutChanged(
        kinguin_enabled=kinguin_enabled,
        rollout_percent=rollout_percent,
        version=version,
        **_envelope(envelope),
    )


def an_offer_updated(
    *,
    kinguin_product_id: str = "5c9b5c9b5c9b5c9b5c9b0001",
    price: Money | None = None,
    quantity: int = 10,
    seen_at: datetime = OCCURRED_AT,
    **envelope: Unpack[Envelope],
) -> OfferUpdated:
    """Ten keys at Kinguin for 18 euros each."""
    return OfferUpdated(
        kinguin_product_id=kinguin_product_id,
        price=price or a_price("18.00", "EUR"),
        quantity=quantity,
        seen_at=seen_at,
        **_envelope(envelope),
    )


def an_email_requested(
    *,
    kind: str = "sign_in_code",
    subject_key: str | None = None,
    to: Sealed | None = None,
    body: Sealed | None = None,
    **envelope: Unpack[Envelope],
) -> EmailRequested:
    """A mail with a sign-in code."""
    return EmailRequested(
        kind=kind,
        subject_key=subject_key or str(a_uuid()),
        to=to or a_sealed(),
        body=body or a_sealed(),
        **_envelope(envelope),
    )
