"""The outbox: messages are written with their effect and sent after it.

One relay a database is active, held by a lease of ten seconds that is checked before
each batch, so that a frozen relay blocks nobody. Rows go in order, and are deleted
when Kafka has acknowledged them: a crash in between sends a batch twice, and the
consumers' inboxes take care of that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa
import structlog
from contracts import Message
from contracts.topics import MAX_MESSAGE_BYTES
from foundation.clock import new_id
from foundation.crash import crash_point
from foundation.telemetry import current_traceparent
from persistence.database import Database, Transaction
from persistence.notifications import notify
from persistence.tables import outbox, outbox_lease
from sqlalchemy.dialects.postgresql import insert

LEASE: Final = timedelta(seconds=10)
BATCH: Final = 500
SEND_TIMEOUT_S: Final = 30
# An idempotent producer can wedge itself after a broker's hiccup (aiokafka #1017):
# after this many failures in a row, while Kafka answers, a fresh process is the cure.
MAX_FAILURES: Final = 20
PAUSE_S: Final = 1.0
POLL_S: Final = 1.0
# Room for headers and framing below the topic's limit.
_MAX_BODY: Final = MAX_MESSAGE_BYTES - 64 * 1024

_log = structlog.get_logger()


class MessageTooLarge(Exception):
    """The message would be refused by Kafka and block everything behind it."""

    def __init__(self, message: Message, size: int) -> None:
        super().__init__(f"{message.topic} message has {size} bytes, at most {_MAX_BODY} go out")


class ProducerWedged(Exception):
    """Kafka answers, yet nothing can be sent for long: a fresh process may."""


class Sender(Protocol):
    """Hands one message to Kafka; the returned future ends when it is acknowledged."""

    async def __call__(
        self, body: bytes, *, topic: str, key: bytes, headers: Mapping[str, str]
    ) -> asyncio.Future[Any]:
        """Send without waiting for the acknowledgement."""
        ...


async def emit(transaction: Transaction, *messages: Message) -> None:
    """Write messages in the caller's transaction; the relay sends them after it.

    Raises:
        MessageTooLarge: Kafka would refuse it.
    """
    if not messages:
        return
    traceparent = current_traceparent()
    rows = [_row(message, traceparent) for message in messages]
    await transaction.execute(insert(outbox), rows)
    await notify(transaction, "outbox")


def _row(message: Message, traceparent: str | None) -> dict[str, Any]:
    body = message.model_dump_json().encode()
    if len(body) > _MAX_BODY:
        raise MessageTooLarge(message, len(body))
    return {
        "message_id": message.id,
        "topic": message.topic,
        "key": message.key,
        "body": body,
        "traceparent": traceparent,
    }


class OutboxRelay:
    """Sends what stands in the outbox, in order, while it holds the lease."""

    def __init__(
        self,
        database: Database,
        send: Sender,
        wake: asyncio.Event,
        kafka_answers: Callable[[], Awaitable[bool]],
    ) -> None:
        self._database = database
        self._send = send
        self._wake = wake
        self._kafka_answers = kafka_answers
        self._owner = new_id()
        self._failures = 0

    async def run(self) -> None:
        """Relay for ever; while Kafka or PostgreSQL is away the outbox keeps everything.

        Raises:
            ProducerWedged: Kafka answers, but sending failed too often in a row.
        """
        while True:
            try:
                sent = await self.flush()
            except ProducerWedged:
                raise
            except Exception as error:  # noqa: BLE001  whatever failed: send it again
                sent = 0
                _log.warning("outbox.not_sent", error=repr(error), failures=self._failures)
                await asyncio.sleep(PAUSE_S)
            if not sent:
                await wait_for_wake(self._wake, POLL_S)

    async def flush(self) -> int:
        """Send one batch if the lease is ours; return how many went out."""
        if not await self._holds_lease():
            return 0
        rows = await self._next_batch()
        if not rows:
            return 0
        crash_point("relay.before_send")
        await self._send_all(rows)
        crash_point("relay.after_send")
        async with self._database.transaction() as transaction:
            sent = [row.seq for row in rows]
            await transaction.execute(sa.delete(outbox).where(outbox.c.seq.in_(sent)))
        return len(rows)

    async def _holds_lease(self) -> bool:
        mine_or_free = sa.or_(
            outbox_lease.c.owner == self._owner,
            outbox_lease.c.held_until.is_(None),
            outbox_lease.c.held_until < sa.func.clock_timestamp(),
        )
        async with self._database.transaction() as transaction:
            taken = await transaction.execute(
                sa.update(outbox_lease)
                .where(mine_or_free)
                .values(owner=self._owner, held_until=sa.func.clock_timestamp() + LEASE)
            )
        return taken.rowcount == 1

    async def _next_batch(self) -> Sequence[sa.Row[Any]]:
        async with self._database.transaction() as transaction:
            rows = await transaction.execute(sa.select(outbox).order_by(outbox.c.seq).limit(BATCH))
            return rows.all()

    async def _send_all(self, rows: Sequence[sa.Row[Any]]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                acknowledgements = [await self._send_row(row) for row in rows]
                await asyncio.gather(*acknowledgements)
        except Exception as error:
            self._failures = self._failures + 1 if await self._kafka_answers() else 0
            if self._failures >= MAX_FAILURES:
                raise ProducerWedged from error
            raise
        self._failures = 0

    async def _send_row(self, row: sa.Row[Any]) -> asyncio.Future[Any]:
        headers = {"content-type": "application/json", "message_id": str(row.message_id)}
        if row.traceparent:
            headers["traceparent"] = row.traceparent
        return await self._send(row.body, topic=row.topic, key=row.key.encode(), headers=headers)

    async def release_lease(self) -> None:
        """Let another relay start at once, at a clean end."""
        async with self._database.transaction() as transaction:
            await transaction.execute(
                sa.update(outbox_lease)
                .where(outbox_lease.c.owner == self._owner)
                .values(owner=None, held_until=None)
            )


async def wait_for_wake(wake: asyncio.Event, timeout_s: float) -> None:
    """Sleep until somebody wakes us, at most `timeout_s` seconds."""
    try:
        async with asyncio.timeout(timeout_s):
            await wake.wait()
    except TimeoutError:
        return  # the poll behind the notification: a LISTEN connection can die silently
    finally:
        wake.clear()
