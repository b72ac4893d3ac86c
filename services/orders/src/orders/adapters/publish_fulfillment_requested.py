"""Publish `fulfillment.requested.custom` and `.kinguin`: one message a line.

The buyer's address is sealed for delivery: the services in between carry it unread.
"""

from collections.abc import Sequence
from datetime import datetime

from contracts import (
    FulfillmentRequestedCustom,
    FulfillmentRequestedKinguin,
    Money,
    Sealed,
    SourceType,
)
from foundation.clock import new_id
from foundation.sealing import PublicKey, seal_address
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.order import Line, Order


class FulfillmentRequests:
    """Asks the fulfilment services for keys."""

    def __init__(self, delivery_key: PublicKey) -> None:
        self._delivery_key = delivery_key

    async def publish(
        self, transaction: Transaction, order: Order, lines: Sequence[Line], now: datetime
    ) -> None:
        """One message a line, to the topic of its source."""
        buyer = seal_address(self._delivery_key, order.email, order.id)
        await emit(transaction, *(_request(order, line, buyer, now) for line in lines))


def _is_late(order: Order, line: Line) -> bool:
    """Late money buys what is there; what replaces a bad key may wait as any other line."""
    return order.late and line.replaces is None


def _request(
    order: Order, line: Line, buyer: Sealed, now: datetime
) -> FulfillmentRequestedCustom | FulfillmentRequestedKinguin:
    if line.source_type is SourceType.KINGUIN and line.kinguin_product_id:
        return FulfillmentRequestedKinguin(
            id=new_id(),
            occurred_at=now,
            order_id=order.id,
            line_id=line.id,
            product_id=line.product_id,
            title=line.title,
            quantity=line.quantity,
            kinguin_product_id=line.kinguin_product_id,
            kinguin_offer_id=line.kinguin_offer_id,
            highest_unit_price=Money(amount=line.unit_price, currency=order.currency),
            lines_in_order=len(order.lines),
            buyer=buyer,
        )
    return FulfillmentRequestedCustom(
        id=new_id(),
        occurred_at=now,
        order_id=order.id,
        line_id=line.id,
        product_id=line.product_id,
        title=line.title,
        quantity=line.quantity,
        lines_in_order=len(order.lines),
        buyer=buyer,
        backorder=line.backorder and not _is_late(order, line),
    )
