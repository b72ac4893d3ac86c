"""A buyer says that a key does not work: a case opens, once a line."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database

from orders.adapters import bad_key_repository, order_repository
from orders.adapters.publish_email_requested import EmailRequests
from orders.domain.bad_key import BadKeyCase, open_case
from orders.domain.bad_key_texts import received_mail
from orders.domain.order import Order
from orders.errors import UnknownItem


class ReportBadKey:
    """Opens the case of a line and has its buyer told; `limit` is how long a key may be bad.

    `order_link` makes the mailed link.
    """

    def __init__(
        self,
        database: Database,
        mails: EmailRequests,
        order_link: Callable[[Order], str],
        clock: Clock,
        limit: timedelta,
    ) -> None:
        self._database = database
        self._mails = mails
        self._order_link = order_link
        self._clock = clock
        self.limit = limit

    async def __call__(self, order_id: UUID, line_id: UUID, reason: str) -> BadKeyCase:
        """The case of the line, the one that is there already if it was reported before.

        Raises:
            UnknownOrder, UnknownItem: there is no such line.
            ActionRefused: it has no key that could be reported, or it is too late.
        """
        async with self._database.transaction() as transaction:
            order = await order_repository.get(transaction, order_id)
            line = order.line(line_id)
            if line is None:
                raise UnknownItem(line_id)
            for known in await bad_key_repository.of_order(transaction, order_id):
                if known.line_id == line_id:
                    return known
            now = self._clock.now()
            case = open_case(order, line, reason, now, self.limit)
            await bad_key_repository.add(transaction, case)
            mail = received_mail(case, line.title, self._order_link(order))
            await self._mails.publish(transaction, order, mail, now)
        return case
