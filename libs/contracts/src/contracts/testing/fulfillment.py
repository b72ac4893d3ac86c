"""Builders of what the fulfilment services send."""

from datetime import datetime
from decimal import Decimal
from typing import Final, Unpack
from uuid import UUID

from contracts.fulfillment_updated import FulfillmentState, FulfillmentUpdated
from contracts.key_ready import KeyReady
from contracts.offer_updated import OfferUpdated
from contracts.stock_returned import StockReturned
from contracts.stock_updated import Reservation, StockLevel, StockUpdated
from contracts.testing.values import (
    OCCURRED_AT,
    Envelope,
    OrderEnvelope,
    a_price,
    a_sealed,
    a_sealed_key,
    a_uuid,
    envelope,
    order_envelope,
)
from contracts.values import Money, Sealed, SealedKey, SourceType

_EUROS: Final = a_price("18.00", "EUR")
_DOLLARS: Final = Decimal("19.80")


def a_key_ready(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    title: str = "Half-Life 3",
    source_type: SourceType = SourceType.CUSTOM,
    keys: tuple[SealedKey, ...] | None = None,
    lines_in_order: int = 1,
    buyer: Sealed | None = None,
    **given: Unpack[OrderEnvelope],
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
        **order_envelope(given),
    )


def a_fulfillment_updated(
    *,
    line_id: UUID | None = None,
    source_type: SourceType = SourceType.CUSTOM,
    state: FulfillmentState = FulfillmentState.DELAYED,
    reason: str | None = None,
    **given: Unpack[OrderEnvelope],
) -> FulfillmentUpdated:
    """A line that waits for stock."""
    return FulfillmentUpdated(
        line_id=line_id or a_uuid(),
        source_type=source_type,
        state=state,
        reason=reason,
        **order_envelope(given),
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
    **given: Unpack[Envelope],
) -> StockUpdated:
    """A stock level, unless a reservation is given."""
    return StockUpdated(
        level=level or (None if reservation else a_stock_level()),
        reservation=reservation,
        **envelope(given),
    )


def a_stock_returned(
    *,
    line_id: UUID | None = None,
    product_id: UUID | None = None,
    keys: tuple[SealedKey, ...] | None = None,
    **given: Unpack[OrderEnvelope],
) -> StockReturned:
    """One bought key that nobody wants any more."""
    return StockReturned(
        line_id=line_id or a_uuid(),
        product_id=product_id or a_uuid(),
        keys=(a_sealed_key(),) if keys is None else keys,
        **order_envelope(given),
    )


def an_offer_updated(
    *,
    kinguin_product_id: str = "5c9b5c9b5c9b5c9b5c9b0001",
    kinguin_offer_id: str | None = "5f7e5f7e5f7e5f7e5f7e0001",
    price: Money | None = _EUROS,
    cost_usd: Decimal | None = _DOLLARS,
    quantity: int = 10,
    seen_at: datetime = OCCURRED_AT,
    **given: Unpack[Envelope],
) -> OfferUpdated:
    """Ten keys at Kinguin for 18 euros, 19.80 dollars, each."""
    return OfferUpdated(
        kinguin_product_id=kinguin_product_id,
        kinguin_offer_id=kinguin_offer_id,
        price=price,
        cost_usd=cost_usd,
        quantity=quantity,
        seen_at=seen_at,
        **envelope(given),
    )
