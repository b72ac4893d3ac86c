"""What an admin does to an order: every action has a reason and leaves an audit row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database, Transaction

from orders.adapters import audit, catalogue_repository, order_repository, refund_repository
from orders.adapters.publish_order_placed import publish_order_placed
from orders.adapters.publish_payment_accepted import publish_payment_accepted
from orders.domain.catalogue import Product
from orders.domain.line_cost import cost_now, offer_of_line
from orders.domain.offer import OfferRules
from orders.domain.order import Line, Order, part_of
from orders.domain.states import LineStatus, MoneyStatus, ReservationStatus
from orders.errors import ActionRefused
from orders.handlers.cancel_order import cancel
from orders.handlers.request_lines import RequestLines
from orders.handlers.send_refunds import Sent, record_sent

RETRY_PAUSE: Final = timedelta(seconds=10)
"""Who tries again sooner does not know of the one before."""
_ASKED: Final = frozenset({LineStatus.REQUESTED, LineStatus.DELAYED})


class Action(StrEnum):
    """What can be asked for (interfaces.md, admin)."""

    CANCEL = "cancel"
    RETRY = "retry"
    ACCEPT_UNDERPAID = "accept_underpaid"
    MARK_REFUNDED = "mark_refunded"


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Who wants what, and why."""

    order_id: UUID
    action: Action
    actor: str
    reason: str
    tx_hash: str | None = None
    line_ids: Sequence[UUID] | None = None


class ActOnOrder:
    """Carries out one action in one transaction, or changes nothing."""

    def __init__(
        self,
        database: Database,
        requests: RequestLines,
        clock: Clock,
        offers: OfferRules,
    ) -> None:
        self._database = database
        self._requests = requests
        self._clock = clock
        self._offers = offers

    async def __call__(self, request: ActionRequest) -> None:
        """Act, and write it down.

        Raises:
            UnknownOrder: there is no such order.
            ActionRefused: it does not fit the order's state.
        """
        async with self._database.transaction() as transaction:
            order = await order_repository.get(transaction, request.order_id)
            before = {"status": order.status.value, "attention": list(order.attention)}
            await self._act(transaction, order, request)
            await order_repository.save(transaction, order)
            await audit.record(
                transaction,
                self._clock.now(),
                audit.Entry(
                    actor=request.actor,
                    action=f"order.{request.action.value}",
                    subject=order.id,
                    reason=request.reason,
                    before=before,
                    after={"status": order.status.value, "tx_hash": request.tx_hash},
                ),
            )

    async def _act(self, transaction: Transaction, order: Order, request: ActionRequest) -> None:
        match request.action:
            case Action.CANCEL:
                await cancel(
                    transaction, order, self._clock.now(), request.reason, request.line_ids
                )
            case Action.RETRY:
                await self._retry(transaction, order, request.reason)
            case Action.ACCEPT_UNDERPAID:
                await self._accept_underpaid(transaction, order)
            case Action.MARK_REFUNDED:
                await self._mark_refunded(transaction, order, request)

    async def _retry(self, transaction: Transaction, order: Order, reason: str) -> None:
        """Ask again for what has no keys: a known line is answered with its state.

        Of an unpaid order only the reservation is asked for again.
        """
        if not order.is_paid and not order.attention:
            raise ActionRefused("only a paid or flagged order can be tried again")
        now = self._clock.now()
        await _refuse_again(transaction, order, now)
        order.unflag(now, reason)
        if not order.is_paid:
            if order.reservation is ReservationStatus.ASKED:
                await publish_order_placed(transaction, order, now)
            return
        asked = [line for line in order.lines if line.status in _ASKED]
        await self._requests.again(transaction, order, asked)
        await self._requests.waiting(transaction, order)

    async def _accept_underpaid(self, transaction: Transaction, order: Order) -> None:
        """Take the largest part payment for the price; payments owes back what others hold."""
        if order.is_paid:
            raise ActionRefused("it is paid already")
        if order.money is not MoneyStatus.UNDERPAID or order.cancelled:
            raise ActionRefused("only an underpaid order can be accepted")
        payment_id = await _acceptable_payment(transaction, order)
        await self._refuse_below_margin(transaction, order)
        now = self._clock.now()
        order.accept(now)
        await publish_payment_accepted(transaction, order.id, payment_id, now)
        await self._requests.waiting(transaction, order)

    async def _refuse_below_margin(self, transaction: Transaction, order: Order) -> None:
        share = part_of(order.asked, order.paid)
        if share is None:
            raise ActionRefused("it is not known yet how much was paid")
        received = order.total.amount * share
        if not self._offers.leaves_margin(received, await self._cost(transaction, order)):
            raise ActionRefused("what was paid would not leave the margin floor over the cost")

    async def _cost(self, transaction: Transaction, order: Order) -> Decimal:
        ids = [line.product_id for line in order.lines]
        products = await catalogue_repository.find_many(transaction, ids)
        costs = [
            self._line_cost(products.get(line.product_id), line, order) for line in order.lines
        ]
        return sum(costs, Decimal(0))

    def _line_cost(self, product: Product | None, line: Line, order: Order) -> Decimal:
        cost = None
        if product is not None:
            offer = offer_of_line(product, line, self._offers, self._clock.now())
            cost = cost_now(product, offer, order.currency)
        if cost is None:
            raise ActionRefused(
                f"the cost of {line.title} is not known in {order.currency}: set its cost_usd first"
            )
        return cost * line.quantity

    async def _mark_refunded(
        self, transaction: Transaction, order: Order, request: ActionRequest
    ) -> None:
        """All lines that are owed back, by one transaction; further money is not meant."""
        due = {line.id for line in order.lines if line.status is LineStatus.REFUND_DUE}
        if not due:
            raise ActionRefused("no line of this order is owed back")
        if not request.tx_hash:
            raise ActionRefused("a refund needs the transaction's hash: send it as tx_hash")
        # Saving gives a line its refund that the previous release has made owed.
        await order_repository.save(transaction, order)
        refunds = await refund_repository.of_order(transaction, order.id)
        sent = Sent(request.tx_hash, request.actor, request.reason)
        of_lines = [refund for refund in refunds if refund.line_id in due]
        await record_sent(transaction, order, of_lines, sent, self._clock.now())


async def _refuse_again(transaction: Transaction, order: Order, now: datetime) -> None:
    """Two people at the same moment ask once, and nobody asks for nothing."""
    since = now - RETRY_PAUSE
    actor = await audit.actor_since(transaction, f"order.{Action.RETRY}", order.id, since)
    if actor is not None:
        raise ActionRefused(f"it was tried again a moment ago, by {actor}")
    waits = any(line.status in {LineStatus.WAITING, *_ASKED} for line in order.lines)
    if not waits and not order.attention:
        raise ActionRefused("nothing of it waits to be tried again")


async def _acceptable_payment(transaction: Transaction, order: Order) -> str:
    if order.payment_id is None:
        raise ActionRefused("it is not known yet which payment it is")
    refunds = await refund_repository.of_order(transaction, order.id)
    if any(refund.payment_id == order.payment_id for refund in refunds):
        raise ActionRefused(f"payment {order.payment_id} is owed back already")
    return order.payment_id
