"""Ask the fulfilment services for the keys of paid lines.

A line that was paid late is asked for only if its cost today leaves the margin floor, and
without waiting: either its keys are there, or its money is owed back. What it costs at Kinguin
is what was last heard of its offer, while that is young.
"""

from collections.abc import Sequence
from typing import Final

from contracts import SourceType
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import schedule

from orders.adapters import catalogue_repository
from orders.adapters.publish_fulfillment_requested import FulfillmentRequests
from orders.domain.ask_schedule import FIRST_QUESTION
from orders.domain.line_cost import cost_now, offer_of_line
from orders.domain.offer import OfferRules
from orders.domain.order import Line, Order
from orders.domain.states import LineStatus

ASK_AGAIN: Final = "ask_again"


class RequestLines:
    """Asks once for each line that waits, and again for those that are named."""

    def __init__(self, requests: FulfillmentRequests, clock: Clock, offers: OfferRules) -> None:
        self._requests = requests
        self._clock = clock
        self._offers = offers

    async def waiting(self, transaction: Transaction, order: Order) -> None:
        """Ask for the keys of the lines that nobody was asked for yet."""
        now = self._clock.now()
        waiting = [line for line in order.lines if line.status is LineStatus.WAITING]
        if order.late:
            gone = [x for x in waiting if not await self._is_still_sold(transaction, order, x)]
            order.owe_back(gone, now, "paid late, and not sold for that price any more")
            waiting = [line for line in waiting if line not in gone]
        await self.first(transaction, order, waiting)

    async def first(self, transaction: Transaction, order: Order, lines: Sequence[Line]) -> None:
        """Ask for these lines, which nobody was asked for, and see to it that they get keys."""
        now = self._clock.now()
        await self.again(transaction, order, lines)
        if lines:
            await schedule(transaction, ASK_AGAIN, order.id, now + FIRST_QUESTION)
        for line in lines:
            order.move_line(line, LineStatus.REQUESTED, now)

    async def again(self, transaction: Transaction, order: Order, lines: Sequence[Line]) -> None:
        """Ask for these lines; who knows them answers with their state."""
        if lines:
            await self._requests.publish(transaction, order, lines, self._clock.now())

    async def _is_still_sold(self, transaction: Transaction, order: Order, line: Line) -> bool:
        """Judged by the cost of today; where it is not known, by the price of today."""
        product = await catalogue_repository.find(transaction, line.product_id)
        if product is None:
            return False
        if line.source_type is SourceType.KINGUIN and product.source_type is SourceType.CUSTOM:
            return False
        offer = offer_of_line(product, line, self._offers, self._clock.now())
        if offer is not None and offer.quantity < line.quantity:
            return False
        cost = cost_now(product, offer, order.currency)
        if cost is None:
            return product.retail_price <= line.unit_price
        return self._offers.leaves_margin(line.unit_price, cost)
