"""What an answer, or none, means for a purchase: each writes its effect in one transaction.

All lock the line and its purchase first, and pass the purchase on to the job that goes on.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Transaction
from servicekit.jobs import Job

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.poll_schedule import PollSchedule
from fulfillment_kinguin.domain.purchase import (
    PLACE,
    POLL,
    SEARCH,
    STEPS,
    Purchase,
    PurchaseState,
)
from fulfillment_kinguin.domain.search_schedule import FIRST_SEARCH
from fulfillment_kinguin.domain.supply import SupplierOrder
from fulfillment_kinguin.errors import (
    InsufficientBalance,
    NotNow,
    OwnGuard,
    SupplierBroken,
    SupplierError,
)
from fulfillment_kinguin.handlers.guard_spending import GuardSpending
from fulfillment_kinguin.handlers.next_job import describe, not_before, pass_on
from fulfillment_kinguin.handlers.tell_line import tell_line

WAIT_FOR_A_PERSON: Final = timedelta(minutes=5)
"""Balance and credentials do not come back by themselves; money is not spent meanwhile."""

_BEFORE_THE_ORDER: Final = frozenset(
    {PurchaseState.PLANNED, PurchaseState.PLACING, PurchaseState.UNKNOWN}
)

_log = structlog.get_logger()


class SettlePurchase:
    """The effects that several jobs share."""

    def __init__(self, schedule: PollSchedule, clock: Clock, guard: GuardSpending) -> None:
        self._schedule = schedule
        self._clock = clock
        self._guard = guard

    async def placed(
        self, transaction: Transaction, job: Job, purchase_id: UUID, order: SupplierOrder
    ) -> datetime | None:
        """Kinguin has the order: poll it from now on."""
        now = self._clock.now()
        purchase = await purchase_repository.lock(transaction, purchase_id)
        await purchase_repository.move(
            transaction,
            purchase,
            PurchaseState.PLACED,
            now,
            f"order {order.order_id}",
            kinguin_reservation_id=order.order_id,
            price_charged_eur=order.price_charged,
            placed_at=now,
            polls=0,
            last_error=None,
        )
        await self._guard.answered(transaction)
        _log.info("purchase.placed", purchase_id=str(purchase_id), attempt=purchase.attempt)
        due_at = now + self._schedule.first
        after = await pass_on(transaction, job, POLL, purchase_id, due_at, now)
        crash_point("kinguin.after_store")
        return after

    async def unclear(
        self, transaction: Transaction, job: Job, purchase_id: UUID, error: SupplierError
    ) -> datetime | None:
        """Nobody knows whether the order exists: search, and never just post again."""
        now = self._clock.now()
        purchase = await purchase_repository.lock(transaction, purchase_id)
        if purchase.state is not PurchaseState.PLACING:
            return None
        await purchase_repository.move(
            transaction,
            purchase,
            PurchaseState.UNKNOWN,
            now,
            describe(error),
            unknown_since=now,
            empty_searches=0,
            first_empty_search_at=None,
            last_error=describe(error),
        )
        await self._guard.failed(transaction, now)
        _log.warning("purchase.unknown", purchase_id=str(purchase_id), error=describe(error))
        due_at = not_before(now + FIRST_SEARCH, error, now)
        return await pass_on(transaction, job, SEARCH, purchase_id, due_at, now)

    async def not_now(
        self, transaction: Transaction, job: Job, purchase_id: UUID, error: NotNow
    ) -> datetime | None:
        """A person must act first: wait, with nothing spent."""
        now = self._clock.now()
        purchase = await purchase_repository.lock(transaction, purchase_id)
        if purchase.state not in _BEFORE_THE_ORDER:
            return None
        if not purchase.line.is_wanted and purchase.state is PurchaseState.PLACING:
            await self._end(transaction, purchase, describe(error), now)
            return None
        if purchase.state is PurchaseState.PLACING:
            await purchase_repository.move(
                transaction,
                purchase,
                PurchaseState.PLANNED,
                now,
                describe(error),
                committed_eur=None,
                committed_at=None,
            )
        if not isinstance(error, OwnGuard):
            await self._guard.answered(transaction)
        if isinstance(error, InsufficientBalance):
            await self._guard.found_empty(transaction, now)
        _log.error("purchase.blocked", purchase_id=str(purchase_id), error=describe(error))
        await purchase_repository.update(
            transaction, purchase_id, now, last_error=describe(error), waits_for=error.waits_for
        )
        await tell_line(transaction, purchase.line, LineState.DELAYED, error.waits_for.value, now)
        due_at = _when_to_try_again(error, now)
        kind = SEARCH if purchase.state is PurchaseState.UNKNOWN else PLACE
        return await pass_on(transaction, job, kind, purchase_id, due_at, now)

    async def refused(
        self, transaction: Transaction, purchase_id: UUID, error: SupplierError
    ) -> None:
        """It can never be bought as it stands: the line fails, the money is owed back."""
        purchase = await purchase_repository.lock(transaction, purchase_id)
        await self._guard.answered(transaction)
        if PurchaseState.FAILED in STEPS[purchase.state]:  # else it ended in the meantime
            await self._end(transaction, purchase, describe(error), self._clock.now())

    async def never_placed(self, transaction: Transaction, purchase_id: UUID) -> None:
        """Nobody wants it any more, and the searches say that it does not exist."""
        purchase = await purchase_repository.lock(transaction, purchase_id)
        await self._end(transaction, purchase, "cancelled, never placed", self._clock.now())

    async def attention(self, transaction: Transaction, purchase_id: UUID, reason: str) -> None:
        """No rule says what to do: a person must look. Nothing is dropped."""
        now = self._clock.now()
        purchase = await purchase_repository.lock(transaction, purchase_id)
        if purchase.state is not PurchaseState.NEEDS_ATTENTION:
            await purchase_repository.move(
                transaction,
                purchase,
                PurchaseState.NEEDS_ATTENTION,
                now,
                reason,
                last_error=reason,
                next_attempt_at=None,
            )
        _log.error("purchase.needs_attention", purchase_id=str(purchase_id), reason=reason)
        await tell_line(transaction, purchase.line, LineState.NEEDS_ATTENTION, reason, now)

    async def _end(
        self, transaction: Transaction, purchase: Purchase, reason: str, now: datetime
    ) -> None:
        is_wanted = purchase.line.is_wanted
        end = PurchaseState.FAILED if is_wanted else PurchaseState.ABANDONED
        await purchase_repository.move(
            transaction,
            purchase,
            end,
            now,
            reason,
            last_error=reason,
            next_attempt_at=None,
            committed_eur=None,  # a definite refusal: nothing was spent
            committed_at=None,
        )
        _log.warning("purchase.ended", purchase_id=str(purchase.id), state=end, reason=reason)
        await tell_line(transaction, purchase.line, LineState.FAILED, reason, now)


def _when_to_try_again(error: NotNow, now: datetime) -> datetime:
    if isinstance(error, SupplierBroken):
        return not_before(now, error, now)
    return now + WAIT_FOR_A_PERSON
