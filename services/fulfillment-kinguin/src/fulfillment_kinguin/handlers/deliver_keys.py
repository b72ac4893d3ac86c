"""Hand a purchase's keys over: to delivery for its buyer, back to the supplier, or to stock."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from contracts import SealedKey
from persistence.database import Transaction
from servicekit.jobs import schedule
from servicekit.outbox import MessageTooLarge

from fulfillment_kinguin.adapters import line_repository, purchase_repository
from fulfillment_kinguin.adapters.publish_key_ready import publish_key_ready
from fulfillment_kinguin.adapters.publish_stock_returned import publish_stock_returned
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import RETURN_KEYS, Purchase, PurchaseState
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.handlers.tell_line import tell_line

_log = structlog.get_logger()


class DeliverKeys:
    """All keys of a purchase go one way; what Kafka would refuse waits for a person."""

    def __init__(self, settle: SettlePurchase, *, can_return: bool) -> None:
        self._settle = settle
        self._can_return = can_return

    async def to_buyer(
        self, transaction: Transaction, purchase: Purchase, keys: Sequence[SealedKey], now: datetime
    ) -> None:
        """The whole line is there: `key.ready`, in the transaction of the purchase's end."""
        try:
            await publish_key_ready(transaction, purchase.line, keys, now)
        except MessageTooLarge as error:
            await self._settle.attention(transaction, purchase.id, str(error))
            return
        await purchase_repository.move(
            transaction, purchase, PurchaseState.KEYS_READY, now, next_attempt_at=None
        )
        await line_repository.move(transaction, purchase.line, LineState.READY, None)
        _log.info("purchase.keys_ready", purchase_id=str(purchase.id), keys=len(keys))

    async def back(
        self,
        transaction: Transaction,
        purchase: Purchase,
        keys: Sequence[SealedKey],
        reason: str,
        now: datetime,
    ) -> None:
        """A whole order that nobody wants: to the supplier if it takes keys back, else to stock."""
        if not self._can_return:
            await self.to_stock(transaction, purchase, keys, reason, now)
            return
        await purchase_repository.move(
            transaction,
            purchase,
            PurchaseState.RETURN_REQUESTED,
            now,
            reason,
            last_error=None,
            next_attempt_at=now,
            return_requested_at=now,
        )
        await schedule(transaction, RETURN_KEYS, purchase.id, now)
        await tell_line(transaction, purchase.line, LineState.FAILED, reason, now)

    async def to_stock(
        self,
        transaction: Transaction,
        purchase: Purchase,
        keys: Sequence[SealedKey],
        reason: str,
        now: datetime,
    ) -> None:
        """Nobody gets them now: the money is spent, so they go into own stock."""
        try:
            await publish_stock_returned(transaction, purchase.line, keys, now)
        except MessageTooLarge as error:
            await self._settle.attention(transaction, purchase.id, str(error))
            return
        is_wanted = purchase.line.is_wanted
        end = PurchaseState.FAILED if is_wanted else PurchaseState.ABANDONED
        await purchase_repository.move(
            transaction, purchase, end, now, reason, last_error=reason, next_attempt_at=None
        )
        await tell_line(transaction, purchase.line, LineState.FAILED, reason, now)
        _log.warning("purchase.ended", purchase_id=str(purchase.id), keys_to_stock=len(keys))
