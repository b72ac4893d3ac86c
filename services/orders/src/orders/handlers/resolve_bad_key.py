"""A person decides about a bad key: another one, the money, or neither."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database, Transaction

from orders.adapters import audit, bad_key_repository, catalogue_repository, order_repository
from orders.adapters.publish_email_requested import EmailRequests
from orders.domain.bad_key import (
    BadKeyCase,
    CaseAction,
    CaseState,
    Resolution,
    has_sold_key,
    replacing_line,
)
from orders.domain.bad_key_texts import resolved_mail
from orders.domain.catalogue import lacks_own_stock
from orders.domain.order import Line, Order
from orders.errors import ActionRefused, UnknownCase
from orders.handlers.request_lines import RequestLines

_GIVEN_UP: Final = "the line is being cancelled, owed back or replaced already: only reject is left"
_NO_STOCK: Final = (
    "no free key is in stock and the product cannot wait for one: upload keys first, or refund"
)


class ResolveBadKey:
    """Carries out one decision in one transaction, or changes nothing.

    `order_link` makes the mailed link.
    """

    def __init__(
        self,
        database: Database,
        requests: RequestLines,
        mails: EmailRequests,
        order_link: Callable[[Order], str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._requests = requests
        self._mails = mails
        self._order_link = order_link
        self._clock = clock

    async def __call__(self, case_id: UUID, resolution: Resolution) -> BadKeyCase:
        """The case as it is now; the very same decision again changes nothing.

        Raises:
            UnknownCase: there is no such case.
            ActionRefused: it is decided already, or the decision does not fit the line.
        """
        async with self._database.transaction() as transaction:
            order_id = await bad_key_repository.order_of(transaction, case_id)
            order = await order_repository.get(transaction, order_id)
            known = await bad_key_repository.of_order(transaction, order_id)
            case = next((case for case in known if case.id == case_id), None)
            line = order.line(case.line_id) if case else None
            if case is None or line is None:
                raise UnknownCase(case_id)
            now = self._clock.now()
            if case.resolve(resolution, now):
                await self._act(transaction, order, line, resolution)
                await order_repository.save(transaction, order)
                await bad_key_repository.save(transaction, case)
                await self._tell(transaction, order, line, case)
                await _audit(transaction, case, resolution, now)
        return case

    async def _act(
        self, transaction: Transaction, order: Order, line: Line, resolution: Resolution
    ) -> None:
        if resolution.action is CaseAction.REJECT:
            return
        if not has_sold_key(order, line):
            raise ActionRefused(_GIVEN_UP)
        if resolution.action is CaseAction.REFUND:
            order.owe_back([line], self._clock.now(), f"bad key: {resolution.reason}")
        else:
            await self._replace(transaction, order, line)

    async def _replace(self, transaction: Transaction, order: Order, line: Line) -> None:
        """Through the usual way of a paid line, so that all that guards it guards this one."""
        product = await catalogue_repository.find(transaction, line.product_id)
        if product is None or lacks_own_stock(product, line.quantity):
            raise ActionRefused(_NO_STOCK)
        new = replacing_line(line, backorder=product.backorder)
        await order_repository.add_line(transaction, order, new)
        await self._requests.first(transaction, order, [new])

    async def _tell(
        self, transaction: Transaction, order: Order, line: Line, case: BadKeyCase
    ) -> None:
        mail = resolved_mail(case, line.title, self._order_link(order))
        if mail is not None:
            await self._mails.publish(transaction, order, mail, self._clock.now())


async def _audit(
    transaction: Transaction, case: BadKeyCase, resolution: Resolution, now: datetime
) -> None:
    entry = audit.Entry(
        actor=resolution.actor,
        action="bad_key.resolved",
        subject=case.id,
        reason=resolution.reason,
        before={"state": CaseState.OPEN},
        after={"state": case.state, "supplier_reference": case.supplier_reference},
    )
    await audit.record(transaction, now, entry)
