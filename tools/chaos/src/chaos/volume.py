"""Many orders in flight at once, both sources, a share of everything failing; then all settles.

The faults stay while orders are placed and paid, and end with the last of them: from then
on everything must be settled within ten minutes, and nothing violated.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
from prometheus_client.parser import text_string_to_metric_families
from stack.verify import verify

from chaos.outcome import Outcome, Run
from chaos.secrecy import Found, search
from chaos.tcp_proxy import Toxics
from chaos.world import World

_SETTLE_S: Final = 600.0
_LOOK_S: Final = 10.0
_ENDED: Final = frozenset({"fulfilled", "refund_due", "needs_attention"})
_SECRETS: Final = 5
_TOO_MANY: Final = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Say = Callable[[str], None]


@dataclass
class Volume:
    """So many orders, `at_once` customers, `share` of the calls failing.

    Customers stay away while `in_flight` orders are open: more would be settled no faster, and
    only make the queue longer than the ten minutes in which a small machine can settle them.
    """

    world: World
    outcome: Outcome
    say: Say
    orders: int
    at_once: int
    in_flight: int
    share: float
    most_open: int = 0

    async def run(self) -> None:
        """Order, pay, settle, judge, and search what was kept for plaintext keys."""
        begin = time.monotonic()
        await self.world.customers.open_shop(keys_each=max(1000, self.orders))
        async with self._faults():
            await self._buy_all()
        self._run("placed and paid under faults", begin, None)
        await self._settle()
        self.outcome.figures["most orders open at once"] = str(self.most_open)
        self._figure("orders/s from the first to the last settled", self.orders, begin)
        self.outcome.figures["p99 of an IPN below, s"] = await self._ipn_p99()
        self.outcome.judge(await asyncio.to_thread(verify, self.world.stack))
        await self._search()
        self.outcome.orders = self.orders
        self.outcome.seconds = round(time.monotonic() - begin, 1)

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        world, share = self.world, self.share
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                world.toxic("s3", Toxics(share=share, answer=_TOO_MANY))
            )
            await stack.enter_async_context(
                world.toxic("mail", Toxics(share=share, reset_after=b"\r\n.\r\n"))
            )
            await world.simulator("kinguin", error_rate=share)
            await world.simulator("nowpayments", error_rate=share)
            yield
            await world.simulator("kinguin")
            await world.simulator("nowpayments")

    async def _buy_all(self) -> None:
        gate, has_room = asyncio.Semaphore(self.at_once), asyncio.Event()

        async def buy() -> None:
            async with gate:
                await has_room.wait()
                await self.world.customers.order_and_pay("volume")

        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(has_room))
            await asyncio.gather(*(buy() for _ in range(self.orders)))
            watch.cancel()

    async def _watch(self, has_room: asyncio.Event) -> None:
        """Say how far it is, and let customers in as long as there is room."""
        while True:
            left = await self._count_open()
            self.most_open = max(self.most_open, left)
            self.say(f"{len(self.world.customers.tickets)} of {self.orders} ordered, {left} open")
            (has_room.set if left < self.in_flight else has_room.clear)()
            await asyncio.sleep(_LOOK_S)

    async def _settle(self) -> None:
        begin = time.monotonic()
        while (left := await self._count_open()) and time.monotonic() - begin < _SETTLE_S:
            self.say(f"{left} of {self.orders} orders are on their way")
            await asyncio.sleep(_LOOK_S)
        problem = f"{left} are not settled {_SETTLE_S:.0f} s after the faults" if left else None
        self._run("settled after the faults", begin, problem)
        self.outcome.figures["orders"] = await self._statuses()

    async def _count_open(self) -> int:
        return sum(n for status, n in (await self._by_status()).items() if status not in _ENDED)

    async def _statuses(self) -> str:
        return ", ".join(f"{n} {status}" for status, n in (await self._by_status()).items())

    async def _by_status(self) -> dict[str, int]:
        connection = await asyncpg.connect(self.world.stack["ORDERS_DATABASE_URL"])
        try:
            rows = await connection.fetch("SELECT status, count(*) FROM orders GROUP BY 1")
        finally:
            await connection.close()
        return {row["status"]: row["count"] for row in rows}

    async def _ipn_p99(self) -> str:
        """The bound of the histogram's bucket that holds the 99th of 100 notifications."""
        text = (await self.world.http.get(self.world.url("payments", "/metrics"))).text
        buckets: dict[float, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                is_ipn = "nowpayments" in sample.labels.get("route", "")
                if sample.name == "http_request_duration_seconds_bucket" and is_ipn:
                    bound = float(sample.labels["le"])
                    buckets[bound] = buckets.get(bound, 0) + sample.value
        total = max(buckets.values(), default=0)
        return str(min((b for b, n in buckets.items() if n >= 0.99 * total), default="none came"))

    async def _search(self) -> None:
        begin = time.monotonic()
        secrets = await self._some_secrets()
        found: Found = await search(self.world.stack, secrets)
        problem = f"plaintext keys in {', '.join(found.places)}" if found.places else None
        self._run(f"{len(secrets)} keys searched for in {found.searched}", begin, problem)

    async def _some_secrets(self) -> list[str]:
        """Keys that were sold, of both sources: they have been everywhere."""
        url = self.world.url("kinguin-simulator", "/_simulator/ledger")
        ledger = (await self.world.http.get(url)).raise_for_status().json()
        bought = [key["serial"] for order in ledger["orders"] for key in order["keys"]]
        return [*self.world.customers.keys[:_SECRETS], *bought[:_SECRETS]]

    def _run(self, name: str, begin: float, problem: str | None) -> None:
        run = Run(name, round(time.monotonic() - begin, 1), problem)
        self.outcome.runs.append(run)
        self.say(f"{name}: {problem or 'ok'}, {run.seconds:.1f} s")

    def _figure(self, name: str, count: int, begin: float) -> None:
        self.outcome.figures[name] = f"{count / (time.monotonic() - begin):.1f}"
