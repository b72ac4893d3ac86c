"""A person has sent money back: the refund, its line and the audit log agree on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foundation.clock import Clock
from persistence.database import Database, Transaction

from orders.adapters import audit, order_repository, refund_repository
from orders.domain.order import Order
from orders.domain.refund import Refund
from orders.domain.states import LineStatus


@dataclass(frozen=True, slots=True)
class Sent:
    """The transaction that an admin says to have made."""

    tx_hash: str
    actor: str
    reason: str


class RecordSentRefund:
    """Records the transaction of one refund, once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, refund_id: UUID, sent: Sent) -> Refund:
        """The refund as it is now; the same transaction again changes nothing.

        Raises:
            UnknownRefund: there is no such refund.
            ActionRefused: another transaction is recorded.
        """
        async with self._database.transaction() as transaction:
            order_id = await refund_repository.order_of(transaction, refund_id)
            order = await order_repository.get(transaction, order_id)
            known = await refund_repository.of_order(transaction, order_id)
            refund = refund_repository.find(known, refund_id)
            before = refund.state
            now = self._clock.now()
            if await record_sent(transaction, order, [refund], sent, now):
                await order_repository.save(transaction, order)
                entry = audit.Entry(
                    actor=sent.actor,
                    action="refund.sent",
                    subject=refund.id,
                    reason=sent.reason,
                    before={"state": before},
                    after={
                        "state": refund.state,
                        "tx_hash": sent.tx_hash,
                        "address_version": refund.address_version,
                    },
                )
                await audit.record(transaction, now, entry)
        return refund


async def record_sent(
    transaction: Transaction, order: Order, refunds: Sequence[Refund], sent: Sent, now: datetime
) -> bool:
    """Mark refunds of a locked order as sent, and their lines as refunded; False if all were.

    Raises:
        ActionRefused: one was sent by another transaction.
    """
    changed = [refund for refund in refunds if refund.send(sent.tx_hash, sent.actor, now)]
    for refund in changed:
        line = order.line(refund.line_id)
        if line is not None:
            order.move_line(line, LineStatus.REFUNDED, now, sent.tx_hash)
    await refund_repository.save(transaction, *changed)
    if changed:
        await refund_repository.tell_buyer(transaction, order.id, now)
    return bool(changed)
