"""NOTIFY and LISTEN: wakes the relay and the job runners at once.

Only a hint. Everything that listens also polls once a second, because a listening
connection can die without a sign.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog

from persistence.database import Database, Transaction

CHANNELS = ("outbox", "jobs")
_CHECK_S = 10.0

_log = structlog.get_logger()


async def notify(transaction: Transaction, channel: str) -> None:
    """Wake the listeners of `channel` when this transaction commits."""
    await transaction.execute(sa.text("SELECT pg_notify(:channel, '')"), {"channel": channel})


class Notifications:
    """One listening connection a process, and one event a channel."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.events: Mapping[str, asyncio.Event] = {name: asyncio.Event() for name in CHANNELS}

    async def run(self) -> None:
        """Listen for ever; reconnect when the connection is lost."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  any loss of the connection: listen again
                _log.warning("notifications.lost", error=repr(error))
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        async with self._database.engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            try:
                for channel in CHANNELS:
                    await raw.add_listener(channel, self._wake)
                while True:
                    await asyncio.sleep(_CHECK_S)
                    await raw.execute("SELECT 1")
            finally:
                await connection.invalidate()  # never back into the pool with listeners on it

    def _wake(self, _connection: object, _pid: int, channel: str, _payload: str) -> None:
        self.events[channel].set()
