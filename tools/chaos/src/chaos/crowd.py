"""Customers at work in the background while something else happens in the foreground."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from chaos.customers import Customers

_LOOK_S: Final = 2.0
_LOOK_AT: Final = 5
AT_WORK: Final = 8
"""More customers do not wait at the same time: the shop is to fail, not to drown."""


@dataclass
class Crowd:
    """Starts purchases and forgets none of them."""

    customers: Customers
    _tasks: dict["asyncio.Task[Any]", str] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def gather(cls, customers: Customers) -> AsyncIterator["Crowd"]:
        """A crowd whose orders are looked at once a second; nobody is left at work at the end."""
        crowd = cls(customers)
        watcher = asyncio.create_task(crowd._watch())
        try:
            yield crowd
        finally:
            for task in (watcher, *crowd._tasks):
                task.cancel()
            await asyncio.gather(watcher, *crowd._tasks, return_exceptions=True)

    def order(self, why: str, *, is_regretted: bool = False) -> None:
        """Begin a purchase for the run `why`, unless enough are at work."""
        if self._at_work() < AT_WORK:
            customers = self.customers
            begin = customers.order_and_regret if is_regretted else customers.order_and_pay
            self._start(begin(why), why)

    def reveal(self) -> None:
        """Let somebody open a link, if there is one and few are at work."""
        if self._at_work() < 2 * AT_WORK:
            self._start(self.customers.reveal_one(), "revealing")

    async def rest(self) -> list[tuple[str, BaseException]]:
        """Wait until every purchase is paid; who gave up, and why."""
        answers = await asyncio.gather(*self._tasks, return_exceptions=True)
        whys = list(self._tasks.values())
        self._tasks.clear()
        return [
            (why, answer)
            for why, answer in zip(whys, answers, strict=True)
            if isinstance(answer, BaseException)
        ]

    def _at_work(self) -> int:
        return sum(not task.done() for task in self._tasks)

    def _start(self, work: Any, why: str) -> None:
        self._tasks[asyncio.create_task(work)] = why

    async def _watch(self) -> None:
        """Keep the tickets' states fresh enough to know what can be revealed."""
        while True:
            for ticket in self.customers.open_tickets()[:_LOOK_AT]:
                await self.customers.page(ticket)
            await asyncio.sleep(_LOOK_S)
