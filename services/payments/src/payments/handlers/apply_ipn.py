"""Stored notifications get their effects, or the reasons why they have none.

The first that is taken up applies all that came about its payment, in the order in which it came:
the gateway sends five notifications of one payment within a minute, and the jobs of the others then
find nothing to do. A job that is tried again applies its own alone, so that one which cannot be
applied does not hold up the others.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from foundation.clock import Clock
from foundation.log_ids import add_log_ids
from persistence.database import Transaction
from servicekit.jobs import Job, Settle, retry_delay

from payments.adapters import invoice_repository, ipn_repository
from payments.adapters.ipn_repository import StoredIpn
from payments.domain.invoice import Invoice
from payments.domain.progress import Decision, Effect
from payments.handlers.apply_news import ApplyNews

WAIT_FOR_ORDER: Final = timedelta(hours=24)
"""How long a notification waits for its order (design, section 3)."""

_log = structlog.get_logger()


class ApplyIpn:
    """Local work only, so all of it is the settlement."""

    def __init__(self, news: ApplyNews, clock: Clock) -> None:
        self._news = news
        self._clock = clock

    async def __call__(self, job: Job) -> Settle:
        """Prepare the settlement of a notification, and of those that came with it."""
        add_log_ids(**job.payload)

        async def settle(transaction: Transaction) -> datetime | None:
            ipn = await ipn_repository.find_open(transaction, UUID(job.subject))
            if ipn is None or await self._apply(transaction, ipn, alone=job.attempt > 1):
                return None
            return self._clock.now() + retry_delay(job.attempt)

        return settle

    async def _apply(self, transaction: Transaction, taken: StoredIpn, *, alone: bool) -> bool:
        """Apply all that came about a payment; False where some of it waits for the order."""
        order_id = taken.facts.order_id
        add_log_ids(order_id=order_id)
        invoice = await invoice_repository.lock(transaction, order_id) if order_id else None
        # Asked after the lock was had: the job of another of them may have applied these.
        ipns = await ipn_repository.open_like(transaction, taken, alone=alone)
        oldest_to_wait = self._clock.now() - WAIT_FOR_ORDER
        is_early = invoice is None and order_id is not None
        due = [ipn for ipn in ipns if not (is_early and ipn.received_at > oldest_to_wait)]
        for ipn in due:
            decision = await self._decide(transaction, invoice, ipn)
            self._alert(ipn, decision)
            await ipn_repository.conclude(transaction, ipn.id, decision)
        return len(due) == len(ipns)

    async def _decide(
        self, transaction: Transaction, invoice: Invoice | None, ipn: StoredIpn
    ) -> Decision:
        if invoice is None:
            return Decision(Effect.UNKNOWN_ORDER, "no order of ours")
        if await ipn_repository.has_twin(transaction, ipn.facts):
            return Decision(Effect.DUPLICATE, "duplicate")
        return await self._news(transaction, invoice, ipn.facts, source=f"ipn {ipn.id}")

    def _alert(self, ipn: StoredIpn, decision: Decision) -> None:
        facts = ipn.facts
        match decision.effect:
            case Effect.UNKNOWN_ORDER:
                _log.error("ipn.order_unknown", ipn_id=str(ipn.id), payment_id=facts.payment_id)
            case Effect.UNKNOWN_STATUS:
                _log.error("ipn.status_unknown", ipn_id=str(ipn.id), status=facts.word)
            case _:
                return
