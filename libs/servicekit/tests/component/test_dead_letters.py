"""Dead letters: whole, until they had their effect, or for a person."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import PaymentConfirmed
from contracts.testing import a_payment_confirmed
from foundation.testing import FixedClock
from persistence.database import Database, Transaction
from persistence.tables import dead_letters
from servicekit.consumer import BatchConsumer, Consumer, redelivery_runner
from servicekit.dead_letters import PlaceTaken, Record, discard


async def test_unreadable_letter_is_kept_whatever_failed_around_it(
    database: Database, clock: FixedClock
) -> None:
    failures = [RuntimeError("the order could not be flagged")]
    flagged: list[UUID | None] = []

    async def handle(_transaction: Transaction, _message: PaymentConfirmed) -> None:
        raise AssertionError("nothing here can be read")

    async def give_up(_transaction: Transaction, order: UUID | None, _reason: str) -> None:
        if len(failures) > len(flagged):
            flagged.append(None)
            raise failures[0]
        flagged.append(order)

    consumer = BatchConsumer(Consumer(PaymentConfirmed, "test", handle, give_up), database, clock)
    # The batch, its isolation: both fail to flag the order; the redelivery does not.
    failures.append(failures[0])
    await consumer([Record("payment.confirmed", 0, 7, None, b"not json", {})])
    clock.advance(10)
    await redelivery_runner([consumer], database, clock).run_due()

    async with database.transaction() as transaction:
        [letter] = (await transaction.execute(sa.select(dead_letters))).all()
    assert len(flagged) == 3
    assert letter.body == b"not json"
    assert letter.given_up_at is not None


async def test_letter_of_a_topic_that_began_anew_does_not_swallow_another_message(
    database: Database, clock: FixedClock
) -> None:
    async def fail(_transaction: Transaction, _message: PaymentConfirmed) -> None:
        raise RuntimeError("not today")

    async def give_up(_transaction: Transaction, _order: UUID | None, _reason: str) -> None:
        return None

    consumer = BatchConsumer(Consumer(PaymentConfirmed, "anew", fail, give_up), database, clock)
    body = a_payment_confirmed().model_dump_json().encode()
    await consumer([Record("payment.confirmed", 0, 5, None, b"of the old topic", {})])

    with pytest.raises(PlaceTaken, match="dead-letters"):
        await consumer([Record("payment.confirmed", 0, 5, None, body, {})])

    async with database.transaction() as transaction:
        old = await transaction.execute(
            sa.select(dead_letters.c.id).where(dead_letters.c.body == b"of the old topic")
        )
        await discard(transaction, old.scalar_one())
    await consumer([Record("payment.confirmed", 0, 5, None, body, {})])
    async with database.transaction() as transaction:
        [letter] = (
            await transaction.execute(
                sa.select(dead_letters).where(dead_letters.c.consumer == "anew")
            )
        ).all()
    assert letter.body == body
