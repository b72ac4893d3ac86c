"""Asks Kinguin every minute what the account can still spend, for the alert on it.

Nothing is decided by it: a purchase that the account cannot pay waits by itself.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import Gauge

from fulfillment_kinguin.errors import NotSupported, SupplierError
from fulfillment_kinguin.ports import KeySupplier

EVERY_S: Final = 60.0
_FIRST_AFTER_S: Final = 5.0  # the service starts first

_log = structlog.get_logger()


class BalanceWatch(AbstractAsyncContextManager["BalanceWatch"]):
    """Runs between entering and leaving; `gauges` hold what was last heard."""

    def __init__(self, supplier: KeySupplier) -> None:
        self._supplier = supplier
        self._balance = Gauge(
            "kinguin_balance_eur", "What the account can still spend", registry=None
        )
        self._read_at = Gauge(
            "kinguin_balance_read_timestamp_seconds", "When the balance was heard", registry=None
        )
        self._balance.set(float("nan"))  # no figure is not zero euros
        self.gauges = (self._balance, self._read_at)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start asking."""
        self._task = asyncio.create_task(self._run(), name="balance_watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await asyncio.sleep(_FIRST_AFTER_S)
        try:
            while True:
                await self.read()
                await asyncio.sleep(EVERY_S)
        except NotSupported:
            _log.info("balance.not_told")

    async def read(self) -> None:
        """Ask once; a failure leaves the last figure and its age.

        Raises:
            NotSupported: this dialect never tells.
        """
        try:
            balance = await self._supplier.balance()
        except NotSupported:
            raise
        except SupplierError as error:
            _log.warning("balance.not_heard", error=repr(error))
            return
        self._balance.set(float(balance))
        self._read_at.set_to_current_time()
