"""What one look at an order means: keep what came, then deliver, wait, buy again or stop."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from uuid import UUID

from contracts import SealedKey
from foundation.clock import Clock
from persistence.database import Transaction

from fulfillment_kinguin.adapters import key_repository, purchase_repository
from fulfillment_kinguin.domain.judge_order import Verdict, judge_order
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import Purchase, PurchaseState
from fulfillment_kinguin.domain.return_keys import went_back
from fulfillment_kinguin.domain.supply import OrderStatus, SupplierOrder
from fulfillment_kinguin.handlers.deliver_keys import DeliverKeys
from fulfillment_kinguin.handlers.plan_purchase import PlanPurchase
from fulfillment_kinguin.handlers.poll_later import PollLater
from fulfillment_kinguin.handlers.settle_purchase import SettlePurchase
from fulfillment_kinguin.handlers.settle_return import mark_returned
from fulfillment_kinguin.handlers.tell_line import tell_line


class FinishPurchase:
    """Keeps what came, and acts on what it means."""

    def __init__(
        self,
        settle: SettlePurchase,
        deliver: DeliverKeys,
        plan: PlanPurchase,
        later: PollLater,
        clock: Clock,
        *,
        max_attempts: int,
    ) -> None:
        self._settle = settle
        self._deliver = deliver
        self._plan = plan
        self._later = later
        self._clock = clock
        self._max_attempts = max_attempts

    async def __call__(
        self,
        transaction: Transaction,
        purchase: Purchase,
        order: SupplierOrder,
        sealed: Mapping[str, SealedKey],
    ) -> datetime | None:
        """Apply one look at a locked purchase; when to look again."""
        now = self._clock.now()
        await key_repository.keep(transaction, purchase.id, sealed, now)
        keys = await key_repository.of_purchase(transaction, purchase.id)
        if purchase.giving_back is not None:
            await self._follow_return(transaction, purchase, order)
            return None
        quantity = purchase.line.quantity
        status = OrderStatus.REFUNDED if went_back(order, quantity) else order.status
        verdict = judge_order(status, len(keys), quantity)
        match verdict:
            case Verdict.WAIT:
                return await self._later(transaction, purchase, None)
            case Verdict.COMPLETE if purchase.line.is_wanted:
                await self._deliver.to_buyer(transaction, purchase, keys, now)
            case Verdict.COMPLETE:
                await self._deliver.back(transaction, purchase, keys, "cancelled", now)
            case Verdict.BROKEN:
                await self._deliver.to_stock(transaction, purchase, keys, verdict.value, now)
            case Verdict.BUY_AGAIN:
                await self._buy_again(transaction, purchase, f"{status.value} without keys")
            case Verdict.TOO_MANY_KEYS | Verdict.REFUNDED_WITH_KEYS:
                await self.flag(transaction, purchase.id, verdict.value)
            case _:
                assert_never(verdict)
        return None

    async def flag(self, transaction: Transaction, purchase_id: UUID, reason: str) -> None:
        """Leave it to a person."""
        await self._settle.attention(transaction, purchase_id, reason)

    async def _follow_return(
        self, transaction: Transaction, purchase: Purchase, order: SupplierOrder
    ) -> None:
        """A person had it looked at: its keys were offered back, and nobody knew the answer."""
        if went_back(order, purchase.line.quantity):
            await mark_returned(transaction, purchase, self._clock.now())
        else:
            reason = f"keys offered back, order {order.status.value}"
            await self.flag(transaction, purchase.id, reason)

    async def _buy_again(self, transaction: Transaction, purchase: Purchase, reason: str) -> None:
        now = self._clock.now()
        line = purchase.line
        end = PurchaseState.FAILED if line.is_wanted else PurchaseState.ABANDONED
        await purchase_repository.move(
            transaction, purchase, end, now, reason, last_error=reason, next_attempt_at=None
        )
        if not line.is_wanted:
            return
        if purchase.attempt < self._max_attempts:
            await self._plan(transaction, line, purchase.attempt + 1, now)
        else:
            await tell_line(transaction, line, LineState.FAILED, reason, now)
