"""Publish `email.requested`: address and body are sealed for delivery, who alone opens them."""

import json
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts import EmailRequested
from foundation.clock import new_id
from foundation.sealing import PublicKey, seal, seal_address
from persistence.database import Transaction
from servicekit.outbox import emit

from orders.domain.order import Order
from orders.domain.refund_texts import MailText

_BODY: Final = ("bitloot.mail", "1")


class EmailRequests:
    """Has delivery send mails: to the buyer of an order, or to people of the shop."""

    def __init__(self, delivery_key: PublicKey) -> None:
        self._delivery_key = delivery_key

    async def publish(
        self, transaction: Transaction, order: Order, mail: MailText, now: datetime
    ) -> None:
        """One mail to its buyer; delivery sends one of a kind and key once."""
        await self.publish_to(transaction, order.email, order.id, mail, now)

    async def publish_to(
        self, transaction: Transaction, address: str, about: UUID, mail: MailText, now: datetime
    ) -> None:
        """One mail to anybody; `about` is what the sealed address is bound to."""
        content = {"subject": mail.subject, "text": mail.text, "html": mail.html}
        body = json.dumps(content, ensure_ascii=False).encode()
        await emit(
            transaction,
            EmailRequested(
                id=new_id(),
                occurred_at=now,
                kind=mail.kind,
                subject_key=mail.key,
                to=seal_address(self._delivery_key, address, about),
                body=seal(self._delivery_key, body, *_BODY, mail.kind, mail.key),
            ),
        )
