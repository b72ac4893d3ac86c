"""Ask again for paid lines without an answer, ever more rarely, and give up in time.

A line that is known is answered with its present state, so asking again is always safe. What
has no keys after the limit is cancelled by the usual protocol: its money is owed back only
when nobody can deliver it any more. Who never heard of a line has no answer to its
cancellation, but has one to its request: that it was cancelled.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Job, Settle

from orders.adapters import order_repository
from orders.adapters.publish_order_cancelled import publish_order_cancelled
from orders.domain.ask_schedule import next_question
from orders.domain.order import Line, Order
from orders.domain.states import Cancellation, LineStatus
from orders.handlers.cancel_order import ask_to_cancel
from orders.handlers.request_lines import RequestLines

_WITHOUT_KEYS: Final = frozenset({LineStatus.REQUESTED, LineStatus.DELAYED})
_SETTLED: Final = frozenset({LineStatus.REFUND_DUE, LineStatus.REFUNDED})


class AskAgain:
    """The job `ask_again`; its subject is a paid order."""

    def __init__(self, requests: RequestLines, clock: Clock, limit: timedelta) -> None:
        self._requests = requests
        self._clock = clock
        self._limit = limit

    async def __call__(self, job: Job) -> Settle:
        """Everything happens in the settlement: nobody outside is asked."""

        async def settle(transaction: Transaction) -> datetime | None:
            order = await order_repository.get(transaction, UUID(job.subject))
            due_at = await self._ask(transaction, order)
            await order_repository.save(transaction, order)
            return due_at

        return settle

    async def _ask(self, transaction: Transaction, order: Order) -> datetime | None:
        now, paid_at = self._clock.now(), order.paid_at
        if paid_at is None:
            return None
        await self._requests.waiting(transaction, order)
        missing, cancelling = _without_keys(order), _being_cancelled(order)
        waits_since = {line.id: _waits_since(line, paid_at) for line in (*missing, *cancelling)}
        over = [line for line in missing if now >= waits_since[line.id] + self._limit]
        hours = self._limit.total_seconds() / 3600
        await ask_to_cancel(transaction, order, over, now, f"no key came in {hours:g} h")
        unanswered = [line for line in cancelling if line.status in _WITHOUT_KEYS]
        await self._requests.again(
            transaction, order, [*(x for x in missing if x not in over), *unanswered]
        )
        if cancelling:
            reason = "asked again"
            await publish_order_cancelled(transaction, order, reason, now, lines=cancelling)
        if not missing and not cancelling:
            return None
        return next_question(now, paid_at=max(waits_since.values()), limit=self._limit)


def _waits_since(line: Line, paid_at: datetime) -> datetime:
    """What replaces a bad key is asked for long after the money came."""
    return line.requested_at or paid_at if line.replaces else paid_at


def _without_keys(order: Order) -> Sequence[Line]:
    return [x for x in order.lines if x.status in _WITHOUT_KEYS and x.cancellation is None]


def _being_cancelled(order: Order) -> Sequence[Line]:
    return [
        line
        for line in order.lines
        if line.cancellation is Cancellation.ASKED and line.status not in _SETTLED
    ]
