"""What a person may do about a purchase: each action has a reason and an audit row.

Before a purchase ends by giving it up, Kinguin is looked at: an order whose answer was lost is
not forgotten, and keys that are the supplier's again do not go to stock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database, Transaction
from servicekit.jobs import is_due, schedule

from fulfillment_kinguin.adapters import audit, key_repository, purchase_repository
from fulfillment_kinguin.domain.line import LineState
from fulfillment_kinguin.domain.purchase import (
    ENDED,
    POLL,
    POLLED,
    SEARCH,
    Purchase,
    PurchaseState,
)
from fulfillment_kinguin.domain.return_keys import went_back
from fulfillment_kinguin.errors import ActionRefused, NotFound
from fulfillment_kinguin.handlers.deliver_keys import DeliverKeys
from fulfillment_kinguin.handlers.settle_return import mark_returned
from fulfillment_kinguin.handlers.tell_line import tell_line
from fulfillment_kinguin.ports import KeySupplier


class Action(StrEnum):
    """The actions of `POST /admin/purchases/{id}/actions`."""

    POLL_NOW = "poll_now"
    SEARCH_AGAIN = "search_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Who wants what, and why."""

    purchase_id: UUID
    action: Action
    actor: str
    reason: str


class ActOnPurchase:
    """Carries an action out through the same jobs that work by themselves."""

    def __init__(
        self, deliver: DeliverKeys, supplier: KeySupplier, database: Database, clock: Clock
    ) -> None:
        self._deliver = deliver
        self._supplier = supplier
        self._database = database
        self._clock = clock

    async def __call__(self, request: ActionRequest) -> None:
        """Do it.

        Raises:
            UnknownPurchase: there is none.
            ActionRefused: it does not fit the purchase's state.
            SupplierError: the order cannot be looked at; nothing was changed.
        """
        async with self._database.transaction() as transaction:
            before = await purchase_repository.read(transaction, request.purchase_id)
        is_back = request.action is Action.GIVE_UP and await self._is_back(before)
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            # The job's row before the line: jobs lock in this order too.
            await self._schedule(transaction, request.action, before, now)
            purchase = await purchase_repository.lock(transaction, request.purchase_id)
            if (purchase.state, purchase.line.state) != (before.state, before.line.state):
                raise ActionRefused("the purchase has just moved on: look again")
            if is_back:
                await mark_returned(transaction, purchase, now)
            else:
                await self._apply(transaction, request, purchase, now)
            after = await purchase_repository.read(transaction, request.purchase_id)
            await audit.record(transaction, request, before=before.state, after=after.state, at=now)

    async def _is_back(self, purchase: Purchase) -> bool:
        """Whether giving it up now finds all of its keys with the supplier."""
        is_stuck = purchase.state is PurchaseState.NEEDS_ATTENTION and _is_idle(purchase)
        if not is_stuck:
            return False
        if purchase.reservation_id is None:
            await self._check_not_there(purchase)
            return False
        try:
            order = await self._supplier.order(purchase.reservation_id)
        except NotFound:
            return False  # an order that does not exist takes no keys back
        if went_back(order, purchase.line.quantity):
            return True
        if order.keys_returned:
            raise ActionRefused("some of its keys are the supplier's again: settle that first")
        return False

    async def _check_not_there(self, purchase: Purchase) -> None:
        if not self._supplier.can_search:
            return  # only the person can know
        if await self._supplier.orders_of(purchase.external_id):
            raise ActionRefused("there is an order at Kinguin: search again")

    async def _schedule(
        self, transaction: Transaction, action: Action, purchase: Purchase, now: datetime
    ) -> None:
        match action:
            case Action.POLL_NOW:
                if purchase.state not in POLLED or purchase.reservation_id is None:
                    raise ActionRefused("there is no open order at Kinguin to look at")
                await _begin(transaction, POLL, purchase, now)
            case Action.SEARCH_AGAIN:
                is_stuck = purchase.state is PurchaseState.NEEDS_ATTENTION
                if purchase.reservation_id is not None or not (
                    is_stuck or purchase.state is PurchaseState.UNKNOWN
                ):
                    raise ActionRefused("only an order whose answer was lost is searched")
                await _begin(transaction, SEARCH, purchase, now)
            case Action.GIVE_UP:
                if purchase.state in ENDED or purchase.state is PurchaseState.RETURN_REQUESTED:
                    raise ActionRefused("the purchase has ended")
                if not purchase.line.is_wanted and not _is_idle(purchase):
                    raise ActionRefused("it was given up already: Kinguin's order is followed")
            case _:
                assert_never(action)

    async def _apply(
        self, transaction: Transaction, request: ActionRequest, purchase: Purchase, now: datetime
    ) -> None:
        if request.action is Action.GIVE_UP:
            await self._give_up(transaction, purchase, request.reason, now)
        elif purchase.state is PurchaseState.NEEDS_ATTENTION and request.action is (
            Action.SEARCH_AGAIN
        ):
            await purchase_repository.move(
                transaction,
                purchase,
                PurchaseState.UNKNOWN,
                now,
                request.reason,
                unknown_since=now,
                empty_searches=0,
                first_empty_search_at=None,
                next_attempt_at=now,
            )

    async def _give_up(
        self, transaction: Transaction, purchase: Purchase, reason: str, now: datetime
    ) -> None:
        """The buyer waits no longer; an order that Kinguin may have is followed to its end."""
        told = f"given up: {reason}"
        if _is_idle(purchase):
            keys = await key_repository.of_purchase(transaction, purchase.id)
            await self._deliver.to_stock(transaction, purchase, keys, told, now)
            # The look just now says that it came to nothing.
            await purchase_repository.update(transaction, purchase.id, now, return_taken=False)
        else:
            await tell_line(transaction, purchase.line, LineState.FAILED, told, now)


async def _begin(transaction: Transaction, kind: str, purchase: Purchase, now: datetime) -> None:
    if await is_due(transaction, kind, purchase.id, now):
        raise ActionRefused("it is being looked at already")
    await schedule(transaction, kind, purchase.id, now)


def _is_idle(purchase: Purchase) -> bool:
    """Whether nothing can come of it any more, so that giving up ends it."""
    if purchase.state is PurchaseState.NEEDS_ATTENTION:
        # With an order at Kinguin the first give-up frees the buyer, the second ends it.
        return purchase.reservation_id is None or not purchase.line.is_wanted
    return purchase.state is PurchaseState.PLANNED
