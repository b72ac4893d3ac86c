"""An order was placed: hold its keys until its money is in, all of them or none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts import OrderPlaced, SourceType
from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Transaction

from fulfillment_custom.adapters import line_repository, reservation_repository, stock_repository
from fulfillment_custom.adapters.publish_stock_updated import (
    publish_reservation,
    publish_stock_updated,
)
from fulfillment_custom.domain.reservation import ReservationState, Wish, share_out


class ReserveStock:
    """Decides once an order; asked again, it repeats where the reservation is now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: OrderPlaced) -> None:
        """Hold or refuse; an order without custom lines is nobody's here."""
        wishes = _wishes(message)
        if not wishes:
            return
        now = self._clock.now()
        await reservation_repository.serialise(transaction, message.order_id)
        state = await reservation_repository.find(transaction, message.order_id)
        if state is None:
            is_over = now >= message.expires_at
            state = ReservationState.REFUSED if is_over else await _decide(transaction, wishes, now)
            await reservation_repository.put(transaction, message.order_id, state, now)
        held = state is ReservationState.HELD
        await publish_reservation(transaction, message.order_id, held=held, now=now)


async def _decide(
    transaction: Transaction, wishes: Sequence[Wish], now: datetime
) -> ReservationState:
    products = sorted({wish.product_id for wish in wishes})
    for product_id in products:
        await stock_repository.lock_product(transaction, product_id)
    # Topics are not ordered among each other: a line may have asked, or be cancelled, already.
    settled = await line_repository.known(transaction, [wish.line_id for wish in wishes])
    open_wishes = [wish for wish in wishes if wish.line_id not in settled]
    granted = share_out(open_wishes, await _free(transaction, products))
    if granted is None:
        return ReservationState.REFUSED
    for wish in granted:
        await stock_repository.reserve_oldest(
            transaction, wish.product_id, wish.line_id, wish.quantity
        )
    crash_point("custom.keys_reserved")
    for product_id in sorted({wish.product_id for wish in granted}):
        await publish_stock_updated(transaction, product_id, now)
    return ReservationState.HELD


async def _free(transaction: Transaction, products: Sequence[UUID]) -> Mapping[UUID, int]:
    """What may be held of these locked products: nothing of one that paid lines wait for."""
    return {
        product_id: 0
        if await line_repository.has_waiting(transaction, product_id)
        else await stock_repository.free_keys(transaction, product_id)
        for product_id in products
    }


def _wishes(message: OrderPlaced) -> Sequence[Wish]:
    return [
        Wish(line.line_id, line.product_id, line.quantity, line.backorder)
        for line in message.lines
        if line.source_type is SourceType.CUSTOM
    ]
