"""What becomes of keys that were offered back: the supplier's again, or own stock."""

from datetime import datetime
from uuid import UUID

import structlog
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import Settle
from servicekit.outbox import MessageTooLarge

from fulfillment_kinguin.adapters import key_repository, purchase_repository
from fulfillment_kinguin.adapters.publish_stock_returned import publish_stock_returned
from fulfillment_kinguin.domain.purchase import Purchase, PurchaseState
from fulfillment_kinguin.errors import SupplierError
from fulfillment_kinguin.handlers.next_job import describe
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase

_log = structlog.get_logger()


async def mark_returned(transaction: Transaction, purchase: Purchase, now: datetime) -> None:
    """End a locked purchase whose keys are the supplier's again: nothing was spent in the end."""
    await purchase_repository.move(
        transaction,
        purchase,
        PurchaseState.RETURNED,
        now,
        "the supplier took the keys back",
        last_error=None,
        next_attempt_at=None,
        committed_eur=None,
        committed_at=None,
    )
    _log.info("purchase.returned", purchase_id=str(purchase.id))


class SettleReturn:
    """Each writes its effect in one transaction, under the locks of line and purchase."""

    def __init__(self, settle: SettlePurchase, clock: Clock) -> None:
        self._settle = settle
        self._clock = clock

    def taken(self, purchase_id: UUID, look_at: datetime) -> Settle:
        """The supplier has the request; the order says when it is done."""

        async def settle(transaction: Transaction) -> datetime:
            await purchase_repository.lock(transaction, purchase_id)
            now = self._clock.now()
            await purchase_repository.update(
                transaction, purchase_id, now, return_taken=True, next_attempt_at=look_at
            )
            return look_at

        return settle

    def not_asked(self, purchase: Purchase, error: SupplierError, again_at: datetime) -> Settle:
        """A definite refusal to listen, such as a wrong API key: nothing was asked."""

        async def settle(transaction: Transaction) -> datetime:
            found = await purchase_repository.lock(transaction, purchase.id)
            posts = max(0, (found.giving_back.posts if found.giving_back else 0) - 1)
            await purchase_repository.update(
                transaction,
                found.id,
                self._clock.now(),
                return_posts=posts,
                next_attempt_at=again_at,
                last_error=describe(error),
            )
            return again_at

        return settle

    def returned(self, purchase_id: UUID) -> Settle:
        """The keys are the supplier's again, and the money is back in the account."""

        async def settle(transaction: Transaction) -> None:
            now = self._clock.now()
            found = await purchase_repository.lock(transaction, purchase_id)
            if PurchaseState.RETURNED in found.next_states:
                await mark_returned(transaction, found, now)

        return settle

    def to_stock(self, purchase_id: UUID, reason: str) -> Settle:
        """The supplier does not take them: the money is spent, so they are stock of the shop."""

        async def settle(transaction: Transaction) -> None:
            now = self._clock.now()
            found = await purchase_repository.lock(transaction, purchase_id)
            if found.state is not PurchaseState.RETURN_REQUESTED:
                return
            keys = await key_repository.of_purchase(transaction, purchase_id)
            try:
                await publish_stock_returned(transaction, found.line, keys, now)
            except MessageTooLarge as error:
                await self._settle.attention(transaction, purchase_id, str(error))
                return
            end = PurchaseState.RETURN_REFUSED
            await purchase_repository.move(
                transaction, found, end, now, reason, last_error=reason, next_attempt_at=None
            )
            _log.warning("purchase.return_refused", purchase_id=str(purchase_id), reason=reason)

        return settle

    def attention(self, purchase_id: UUID, reason: str) -> Settle:
        """Nobody knows whose the keys are: a person must look."""

        async def settle(transaction: Transaction) -> None:
            await self._settle.attention(transaction, purchase_id, reason)

        return settle
