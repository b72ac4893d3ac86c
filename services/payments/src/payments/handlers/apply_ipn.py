"""A stored notification gets its effect, or the reason why it has none."""

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
        """Prepare the settlement of one notification."""

        async def settle(transaction: Transaction) -> datetime | None:
            ipn = await ipn_repository.find_open(transaction, UUID(job.subject))
            return None if ipn is None else await self._apply(transaction, ipn, job.attempt)

        return settle

    async def _apply(
        self, transaction: Transaction, ipn: StoredIpn, attempt: int
    ) -> datetime | None:
        order_id = ipn.facts.order_id
        add_log_ids(order_id=order_id)
        invoice = await invoice_repository.lock(transaction, order_id) if order_id else None
        if invoice is not None:
            decision = await self._decide(transaction, invoice, ipn)
        elif order_id and self._clock.now() < ipn.received_at + WAIT_FOR_ORDER:
            return self._clock.now() + retry_delay(attempt)
        else:
            decision = Decision(Effect.UNKNOWN_ORDER, "no order of ours")
        self._alert(ipn, decision)
        await ipn_repository.conclude(transaction, ipn.id, decision)
        return None

    async def _decide(self, transaction: Transaction, invoice: Invoice, ipn: StoredIpn) -> Decision:
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
