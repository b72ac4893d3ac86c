"""Consume one topic: batches, one transaction a batch, the failing message isolated.

A handler does local database work only: its own rows and outbox rows. A record that
cannot be read becomes a dead letter and the batch goes on. When a handler fails, each
message of the batch gets a transaction of its own; what fails then is parked and tried
again by a job. When PostgreSQL is away nothing is acknowledged.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import structlog
from contracts import Message
from foundation.clock import Clock
from foundation.crash import crash_point
from foundation.log_ids import log_ids
from foundation.telemetry import span_from
from persistence.database import Database, Transaction, is_transient
from persistence.measures import measure, savepoint
from pydantic import ValidationError

from servicekit import dead_letters
from servicekit.dead_letters import Record
from servicekit.inbox import take_unseen
from servicekit.jobs import Job, JobRunner, Settle
from servicekit.progress import BATCHES, MESSAGES, Progress

M = TypeVar("M", bound=Message)

Handle = Callable[[Transaction, M], Awaitable[None]]
"""Writes the effect of one message in the given transaction."""

GiveUp = Callable[[Transaction, UUID | None, str], Awaitable[None]]
"""Says that a message of an order (None: unknown) was given up, and why."""

# Slows down the re-reading while PostgreSQL is away: a NACK alone is a hot loop.
_PAUSE_S: Final = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Consumer(Generic[M]):
    """What a service does with the messages of one topic."""

    message: type[M]
    group: str
    handle: Handle[M]
    give_up: GiveUp


class BatchConsumer(Generic[M]):
    """Applies a consumer to batches of records."""

    def __init__(self, consumer: Consumer[M], database: Database, clock: Clock) -> None:
        self.consumer = consumer
        self._database = database
        self._clock = clock
        self.progress = Progress(self._topic)

    async def __call__(self, records: Sequence[Record]) -> None:
        """Give every record its effect, or park it.

        Raises:
            Exception: PostgreSQL is away, or the letter box cannot be written; nothing was
                acknowledged, the batch comes again.
        """
        crash_point("consumer.received")
        started = time.perf_counter()
        self.progress.begins(records)
        try:
            await self._consume(records)
        except Exception as error:
            _log.warning("consumer.paused", topic=self._topic, error=repr(error))
            await asyncio.sleep(_PAUSE_S)
            raise
        crash_point("consumer.after_commit")
        self.progress.ends(records)
        took = time.perf_counter() - started
        self._database.measurements.count(BATCHES, took, topic=self._topic)

    @property
    def _topic(self) -> str:
        return self.consumer.message.topic.value

    async def _consume(self, records: Sequence[Record]) -> None:
        try:
            async with self._database.transaction() as transaction:
                await self._apply(transaction, records)
        except Exception as error:
            if is_transient(error):
                raise
            _log.exception("consumer.batch_failed", topic=self._topic, size=len(records))
            for record in records:
                await self._isolate(record)

    async def _isolate(self, record: Record) -> None:
        try:
            async with self._database.transaction() as transaction:
                await self._apply(transaction, [record])
        except Exception as error:
            if is_transient(error):
                raise
            _log.exception("message.failed", topic=self._topic, key=str(record.order_id))
            async with self._database.transaction() as transaction:
                await dead_letters.park(
                    transaction, self.consumer.group, record, _name(error), retry=self._clock
                )
                self._measure(transaction, "parked", 1)

    async def _apply(self, transaction: Transaction, records: Sequence[Record]) -> None:
        messages: list[M] = []
        traceparents: dict[UUID, str | None] = {}
        for record in records:
            message = await self._read(transaction, record)
            if message is not None:
                messages.append(message)
                traceparents[message.id] = record.headers.get("traceparent")
        fresh = await take_unseen(transaction, self.consumer.group, messages)
        self._measure(transaction, "handled", len(fresh))
        self._measure(transaction, "duplicate", len(messages) - len(fresh))
        for message in fresh:
            with span_from(traceparents[message.id], f"consume {self._topic}"):
                await self._handle(transaction, message)
        crash_point("consumer.before_commit")

    def _measure(self, transaction: Transaction, outcome: str, number: int) -> None:
        measure(transaction, MESSAGES, number, topic=self._topic, outcome=outcome)

    async def _handle(self, transaction: Transaction, message: M) -> None:
        order_id = getattr(message, "order_id", None)  # those about a product have none
        with log_ids(topic=self._topic, key=message.key, message_id=message.id, order_id=order_id):
            await self.consumer.handle(transaction, message)

    async def _read(self, transaction: Transaction, record: Record) -> M | None:
        try:
            return self.consumer.message.model_validate_json(record.body or b"")
        except ValidationError as error:
            reason = _readable(error)
        about = {"topic": self._topic, "offset": record.offset, "key": str(record.order_id)}
        _log.error("message.unreadable", reason=reason, **about)
        await dead_letters.park(transaction, self.consumer.group, record, reason, retry=None)
        await self.consumer.give_up(transaction, record.order_id, "unreadable message")
        self._measure(transaction, "unreadable", 1)
        return None

    async def redeliver(
        self, transaction: Transaction, job: Job, record: Record
    ) -> datetime | None:
        """Try a parked message again; return when to try next, or None at the end."""
        try:
            async with savepoint(transaction):
                await self._apply(transaction, [record])
                await dead_letters.delivered(transaction, job.subject)
        except Exception as error:
            if is_transient(error):
                raise
            due_at = await dead_letters.failed_again(
                transaction, job.subject, _name(error), attempt=job.attempt, clock=self._clock
            )
            if due_at is None:
                _log.exception("message.given_up", topic=self._topic, key=str(record.order_id))
                await self.consumer.give_up(transaction, record.order_id, _name(error))
            return due_at
        return None


def redelivery_runner(
    consumers: Sequence[BatchConsumer[Any]], database: Database, clock: Clock
) -> JobRunner:
    """The job that tries parked messages again."""
    by_topic = {consumer.consumer.message.topic.value: consumer for consumer in consumers}

    async def perform(job: Job) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            letter = await dead_letters.fetch(transaction, job.subject)
            if letter is None or letter.topic not in by_topic:
                return None
            record = Record(
                letter.topic,
                letter.partition,
                letter.kafka_offset,
                letter.key,
                letter.body,
                letter.headers,
            )
            return await by_topic[letter.topic].redeliver(transaction, job, record)

        return settle

    return JobRunner(dead_letters.REDELIVER, perform, database=database, clock=clock)


def _readable(error: ValidationError) -> str:
    """Where and why, without the value: it may be a secret."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'body'}: {detail['msg']}" for detail in details[:5]
    )


def _name(error: BaseException) -> str:
    return dead_letters.storable(f"{type(error).__name__}: {error}"[:500])
