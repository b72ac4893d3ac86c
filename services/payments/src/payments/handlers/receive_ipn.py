"""Take a notification: check its signature, keep it, and leave the rest to a job.

The gateway waits three seconds; nothing else happens here, and Kafka is not needed.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from foundation.clock import Clock
from foundation.crash import crash_point
from persistence.database import Database
from pydantic import SecretStr
from servicekit.jobs import schedule, traceparent_of

from payments.adapters import ipn_repository
from payments.adapters.storing import storing
from payments.domain.ipn_signature import read_signed
from payments.domain.payment import PaymentFacts, read_facts
from payments.handlers.jobs import APPLY_IPN, RECONCILE, of_order

STORE_TIMEOUT_S: Final = 2.0
"""Leaves a second of the gateway's three for the way and the answer."""


class ReceiveIpn:
    """Keeps signed notifications; unsigned ones leave no trace but a count."""

    def __init__(self, database: Database, clock: Clock, secrets: Sequence[SecretStr]) -> None:
        self._database = database
        self._clock = clock
        self._secrets = secrets

    async def __call__(self, body: bytes, signature: str | None) -> None:
        """Store it.

        Raises:
            BadSignature: nobody who knows a secret of ours sent this.
            NotJson, UnreadablePayment: it is signed, but not a notification.
            NotStored: PostgreSQL did not take it in time; it has to come again.
        """
        secrets = [secret.get_secret_value() for secret in self._secrets]
        facts = read_facts(read_signed(body, signature, secrets))
        crash_point("payments.before_insert")
        with storing():
            async with asyncio.timeout(STORE_TIMEOUT_S):
                await self._store(body, facts)
        crash_point("payments.after_commit")

    async def _store(self, body: bytes, facts: PaymentFacts) -> None:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            ipn_id = await ipn_repository.add(transaction, body, facts, now)
            # The gateway knows no traces: what it says goes on in the order's own.
            order_trace = await traceparent_of(transaction, RECONCILE, facts.order_id)
            about = of_order(facts.order_id)
            await schedule(transaction, APPLY_IPN, ipn_id, now, about, traceparent=order_trace)
            crash_point("payments.after_insert")
