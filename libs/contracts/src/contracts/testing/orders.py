"""Builders of what orders sends."""

from datetime import datetime, timedelta
from typing import Unpack
from uuid import UUID

from contracts.email_requested import EmailRequested
from contracts.fulfillment_requested_custom import FulfillmentRequestedCustom
from contracts.fulfillment_requested_kinguin import FulfillmentRequestedKinguin
from contracts.order_cancelled import OrderCancelled
from contracts.order_placed import OrderPlaced, PlacedLine
from contracts.payment_accepted import PaymentAccepted
from contracts.product_updated import ProductUpdated
from contracts.rollout_changed import RolloutChanged
from contracts.testing.values import (
    OCCURRED_AT,
    Envelope,
    OrderEnvelope,
    a_price,
    a_sealed,
    a_uuid,
    envelope,
    order_envelope,
)
from contracts.values import Money, Sealed, SourceType


def a_placed_line(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    quantity: int = 1,
    source_type: SourceType = SourceType.CUSTOM,
    backorder: bool = True,
) -> PlacedLine:
    """One line of an order, by default one key from own stock."""
    return PlacedLine(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        quantity=quantity,
        source_type=source_type,
        backorder=backorder,
    )


def an_order_placed(
    *,
    total: Money | None = None,
    expires_at: datetime = OCCURRED_AT + timedelta(hours=1),
    description: str = "1 game key",
    lines: tuple[PlacedLine, ...] | None = None,
    **given: Unpack[OrderEnvelope],
) -> OrderPlaced:
    """An order of one custom line over 25 US dollars."""
    return OrderPlaced(
        total=total or a_price(),
        expires_at=expires_at,
        description=description,
        lines=(a_placed_line(),) if lines is None else lines,
        **order_envelope(given),
    )


def an_order_cancelled(
    *,
    line_ids: tuple[UUID, ...] | None = None,
    reason: str = "expired",
    final: bool = True,
    paid: bool = False,
    **given: Unpack[OrderEnvelope],
) -> OrderCancelled:
    """One line that is not wanted any more."""
    return OrderCancelled(
        line_ids=(a_uuid(),) if line_ids is None else line_ids,
        reason=reason,
        final=final,
        paid=paid,
        **order_envelope(given),
    )


def a_payment_accepted(
    *, payment_id: str = "5745459419", **given: Unpack[OrderEnvelope]
) -> PaymentAccepted:
    """A part payment that an admin took."""
    return PaymentAccepted(payment_id=payment_id, **order_envelope(given))


def a_fulfillment_requested_custom(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    title: str = "Half-Life 3",
    quantity: int = 1,
    lines_in_order: int = 1,
    buyer: Sealed | None = None,
    backorder: bool = True,
    **given: Unpack[OrderEnvelope],
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
        **order_envelope(given),
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
    **given: Unpack[OrderEnvelope],
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
        **order_envelope(given),
    )


def a_rollout_changed(
    *,
    kinguin_enabled: bool = True,
    rollout_percent: int = 100,
    version: int = 1,
    **given: Unpack[Envelope],
) -> RolloutChanged:
    """Kinguin is on for every product."""
    return RolloutChanged(
        kinguin_enabled=kinguin_enabled,
        rollout_percent=rollout_percent,
        version=version,
        **envelope(given),
    )


def a_product_updated(
    *,
    product_id: UUID | None = None,
    kinguin_product_id: str | None = "5c9b5c9b5c9b5c9b5c9b0001",
    kinguin_offer_id: str | None = "5f7e5f7e5f7e5f7e5f7e0001",
    on_sale: bool = True,
    version: int = 1,
    **given: Unpack[Envelope],
) -> ProductUpdated:
    """A product that is sold with Kinguin as its source."""
    return ProductUpdated(
        product_id=product_id or a_uuid(),
        kinguin_product_id=kinguin_product_id,
        kinguin_offer_id=kinguin_offer_id,
        on_sale=on_sale,
        version=version,
        **envelope(given),
    )


def an_email_requested(
    *,
    kind: str = "sign_in_code",
    subject_key: str | None = None,
    to: Sealed | None = None,
    body: Sealed | None = None,
    **given: Unpack[Envelope],
) -> EmailRequested:
    """A mail with a sign-in code."""
    return EmailRequested(
        kind=kind,
        subject_key=subject_key or str(a_uuid()),
        to=to or a_sealed(),
        body=body or a_sealed(),
        **envelope(given),
    )
