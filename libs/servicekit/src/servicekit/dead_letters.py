"""Dead letters: messages that could not be handled, kept whole in a table.

One that cannot be read is given up at once. One whose handler fails is tried again
by a job, with growing waits, and then given up; the service says so about its order.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from foundation.clock import Clock, new_id
from persistence.database import Transaction
from persistence.tables import dead_letters
from sqlalchemy.dialects.postgresql import insert

from servicekit.jobs import cancel, schedule

REDELIVER: Final = "redeliver"
RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 4, 16, 64, 256))
"""Waits before each new try of a message that failed; then it is given up."""


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as it came, readable or not; `sent_at` in seconds since the epoch."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    body: bytes | None
    headers: Mapping[str, str]
    sent_at: float | None = None

    @property
    def order_id(self) -> UUID | None:
        """The order it is about, judged by its key; None where that is no UUID."""
        try:
            return UUID((self.key or b"").decode())
        except ValueError:
            return None


class PlaceTaken(Exception):
    """The topic began anew, and an older letter has the place of this record.

    Nothing is acknowledged until somebody decides about the older one.
    """

    def __init__(self, record: Record) -> None:
        place = f"{record.topic} {record.partition}:{record.offset}"
        super().__init__(
            f"an older dead letter of {place} holds another message: retry or discard it "
            "with `bitloot dead-letters`"
        )


def storable(text: str) -> str:
    """The text as PostgreSQL can keep it, which is without NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def header_text(value: bytes | None) -> str:
    """A header's value as text that can be kept; bytes that are none come as base64."""
    raw = value or b""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode()
    return text if storable(text) == text else base64.b64encode(raw).decode()


async def park(
    transaction: Transaction, consumer: str, record: Record, error: str, *, retry: Clock | None
) -> None:
    """Keep a record. With a clock it is tried again by a job, else it is given up now.

    Raises:
        PlaceTaken: an older letter of this offset holds another message.
    """
    letter_id = new_id()
    kept = await transaction.scalar(
        insert(dead_letters)
        .on_conflict_do_nothing()
        .values(
            id=letter_id,
            consumer=consumer,
            topic=record.topic,
            partition=record.partition,
            kafka_offset=record.offset,
            key=record.key,
            body=record.body,
            headers=dict(record.headers),
            error=storable(error),
            given_up_at=None if retry else sa.func.now(),
        )
        .returning(dead_letters.c.id)
    )
    if kept is None:
        await _park_again(transaction, consumer, record, storable(error), give_up=retry is None)
    elif retry:
        await schedule(transaction, REDELIVER, letter_id, retry.now() + RETRY_DELAYS[0])


async def _park_again(
    transaction: Transaction, consumer: str, record: Record, error: str, *, give_up: bool
) -> None:
    """The letter of a record that came again; what is given up anew says why."""
    here = (
        dead_letters.c.consumer == consumer,
        dead_letters.c.topic == record.topic,
        dead_letters.c.partition == record.partition,
        dead_letters.c.kafka_offset == record.offset,
    )
    known = (
        await transaction.execute(
            sa.select(dead_letters.c.key, dead_letters.c.body).where(*here).with_for_update()
        )
    ).one()
    if (known.key, known.body) != (record.key, record.body):
        raise PlaceTaken(record)
    if give_up:
        values = {"given_up_at": sa.func.now(), "error": error}
        await transaction.execute(sa.update(dead_letters).where(*here).values(**values))


async def fetch(transaction: Transaction, letter_id: str) -> sa.Row[Any] | None:
    """The letter with its row locked, or None when it is gone or given up."""
    return (
        await transaction.execute(
            sa.select(dead_letters)
            .where(dead_letters.c.id == UUID(letter_id), dead_letters.c.given_up_at.is_(None))
            .with_for_update()
        )
    ).one_or_none()


async def delivered(transaction: Transaction, letter_id: str) -> None:
    """The message had its effect after all: nothing is left of a letter not given up."""
    await transaction.execute(
        sa.delete(dead_letters).where(
            dead_letters.c.id == UUID(letter_id), dead_letters.c.given_up_at.is_(None)
        )
    )


async def failed_again(
    transaction: Transaction, letter_id: str, error: str, *, attempt: int, clock: Clock
) -> datetime | None:
    """Record the failure; return when to try again, or None when it is given up."""
    last = attempt >= len(RETRY_DELAYS)
    await transaction.execute(
        sa.update(dead_letters)
        .where(dead_letters.c.id == UUID(letter_id))
        .values(error=storable(error), given_up_at=clock.now() if last else None)
    )
    return None if last else clock.now() + RETRY_DELAYS[attempt]


async def reopen(transaction: Transaction, letter_id: UUID, now: datetime) -> bool:
    """Try a letter again from the start, now; False when it is gone."""
    reopened = await transaction.scalar(
        sa.update(dead_letters)
        .where(dead_letters.c.id == letter_id)
        .values(given_up_at=None)
        .returning(dead_letters.c.id)
    )
    if reopened is None:
        return False
    await cancel(transaction, REDELIVER, letter_id)  # so that the tries are counted anew
    await schedule(transaction, REDELIVER, letter_id, now)
    return True


async def discard(transaction: Transaction, letter_id: UUID) -> bool:
    """Delete a letter for good; False when it is gone."""
    gone = await transaction.scalar(
        sa.delete(dead_letters).where(dead_letters.c.id == letter_id).returning(dead_letters.c.id)
    )
    await cancel(transaction, REDELIVER, letter_id)
    return gone is not None
