"""When to look at an order again, and when the line counts as delayed or stuck."""

from datetime import datetime

from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.poll_schedule import SLOW_INTERVAL, SLOW_PHASE, PollSchedule
from fulfillment_kinguin.domain.purchase import Purchase, PurchaseState
from fulfillment_kinguin.errors import NotFound, SupplierError
from fulfillment_kinguin.handlers.next_job import describe, not_before
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.handlers.tell_line import tell_line

_DELAYED = "the supplier has not delivered yet"


class PollLater:
    """Counts a poll that brought no end, and plans the next."""

    def __init__(self, schedule: PollSchedule, settle: SettlePurchase, clock: Clock) -> None:
        self._schedule = schedule
        self._settle = settle
        self._clock = clock

    async def __call__(
        self, transaction: Transaction, purchase: Purchase, error: SupplierError | None
    ) -> datetime | None:
        """The next look at a locked purchase, or None when it is for a person."""
        now = self._clock.now()
        polls = purchase.polls + 1
        reason = None if error is None else describe(error)
        await purchase_repository.update(
            transaction, purchase.id, now, polls=polls, last_error=reason
        )
        elapsed = now - (purchase.placed_at or now)
        delay = self._schedule.fast_delay(polls, elapsed)
        if purchase.state is PurchaseState.PLACED and delay is not None:
            return await self._at(transaction, purchase, not_before(now + delay, error, now))
        is_gone = isinstance(error, NotFound)
        if is_gone or elapsed >= SLOW_PHASE or purchase.state is PurchaseState.NEEDS_ATTENTION:
            waited = "its order is gone" if is_gone else "no keys after 24 hours"
            await self._settle.attention(transaction, purchase.id, waited)
            return None
        await self._slow_down(transaction, purchase, now)
        return await self._at(transaction, purchase, not_before(now + SLOW_INTERVAL, error, now))

    async def _slow_down(self, transaction: Transaction, purchase: Purchase, now: datetime) -> None:
        if purchase.state is PurchaseState.PLACED:
            await purchase_repository.move(transaction, purchase, PurchaseState.SLOW, now, _DELAYED)
        if purchase.line.state is LineState.BUYING:
            await tell_line(transaction, purchase.line, LineState.DELAYED, _DELAYED, now)

    async def _at(self, transaction: Transaction, purchase: Purchase, due_at: datetime) -> datetime:
        await purchase_repository.update(
            transaction, purchase.id, self._clock.now(), next_attempt_at=due_at
        )
        return due_at
