"""The crash sweep: end a service at one named point, under load, and lose nothing.

A run arms one point of one service of the running stack, and orders are placed, paid and
revealed until the point has fired. A point that does not fire is a failure. The next run of
a service begins when it is back, beside runs of other services (`lanes`). What the crashes
left is settled at the end: every order must be fulfilled and every invariant hold.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from stack.parts.probes import http_answers
from stack.processes import Identity, ProcessFolder
from stack.verify import verify
from stack.whole_stack import RunningStack

from chaos.arming import Arming, Triggers
from chaos.crowd import Crowd
from chaos.customers import Customers, by_status
from chaos.outcome import Outcome, Run
from chaos.points import FOR_CANCELLED, Place

ENDINGS: Final = ("KILL", "TERM")
HITS: Final = (1, 2)
# An order brings every consumer and job of its way; two are enough for a second hit.
_FIRE_S: Final = 120.0
_BACK_S: Final = 90.0
_SETTLE_S: Final = 600.0
_ORDER_EVERY_S: Final = 1.5
_TICK_S: Final = 0.1

Say = Callable[[str], None]


class NotAsExpected(Exception):
    """A run did not go as it must."""


def plan(
    places: Sequence[Place], dice: random.Random, *, endings: Sequence[str], hits: Sequence[int]
) -> list[Arming]:
    """Every place with every ending and hit; every place comes once before one comes again."""
    ways = {place: list(itertools.product(endings, hits)) for place in places}
    for combinations in ways.values():
        dice.shuffle(combinations)
    chosen: list[tuple[Place, str, int]] = []
    for turn in range(len(endings) * len(hits)):
        shuffled = dice.sample(list(places), len(places))
        chosen.extend((place, *ways[place][turn]) for place in shuffled)
    return [Arming(*way, number) for number, way in enumerate(chosen, 1)]


@dataclass
class CrashSweep:
    """All runs on one stack; `say` gets a line a run; none begins after `longest_s` seconds."""

    stack: RunningStack
    customers: Customers
    triggers: Triggers
    outcome: Outcome
    say: Say
    lanes: int = 1
    longest_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        self._ends_at = 0.0

    async def run(self, armings: Sequence[Arming]) -> None:
        """Run them all, wait until everything is settled, and judge."""
        begin = time.monotonic()
        await self.customers.open_shop()
        async with Crowd.gather(self.customers) as crowd:
            waiting, self._ends_at = list(armings), begin + self.longest_s
            busy: set[str] = set()
            lanes = (self._lane(waiting, busy, len(armings), crowd) for _ in range(self.lanes))
            await asyncio.gather(*lanes)
            self.outcome.figures["runs left out for want of time"] = str(len(waiting))
            await self._settle(crowd)
        self.outcome.judge(await asyncio.to_thread(verify, self.stack))
        self.outcome.orders = len(self.customers.tickets)
        self.outcome.seconds = round(time.monotonic() - begin, 1)

    async def _lane(self, waiting: list[Arming], busy: set[str], total: int, crowd: Crowd) -> None:
        """Take the next run whose service is not in another run, until there is none."""
        while waiting and time.monotonic() < self._ends_at:
            arming = next((one for one in waiting if one.place.service not in busy), None)
            if arming is None:
                await asyncio.sleep(_TICK_S)
                continue
            waiting.remove(arming)
            busy.add(arming.place.service)
            run = await self._one(arming, crowd)
            busy.discard(arming.place.service)
            self.outcome.runs.append(run)
            said = run.problem or "ok"
            self.say(f"{len(self.outcome.runs)}/{total} {run.name}: {said}, {run.seconds:.1f} s")

    async def _one(self, arming: Arming, crowd: Crowd) -> Run:
        name = f"{arming.place} SIG{arming.ending} hit {arming.hit}"
        begin, problem = time.monotonic(), None
        before = ProcessFolder(self.stack.folder).living(arming.place.service)
        self.triggers.arm(arming)
        try:
            await self._until_fired(arming, name, crowd)
            await self._until_back(arming.place.service, before)
        except NotAsExpected as error:
            problem = str(error)
            self.triggers.disarm(arming)
        return Run(name, round(time.monotonic() - begin, 1), problem)

    async def _until_fired(self, arming: Arming, name: str, crowd: Crowd) -> None:
        end = time.monotonic() + _FIRE_S
        while not self.triggers.fired(arming):
            if time.monotonic() > end:
                raise NotAsExpected(f"did not fire within {_FIRE_S:.0f} s")
            crowd.order(name, is_regretted=arming.place.point in FOR_CANCELLED)
            crowd.reveal()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ORDER_EVERY_S):
                    await self._fired(arming)

    async def _fired(self, arming: Arming) -> None:
        while not self.triggers.fired(arming):  # noqa: ASYNC110  a file tells nobody of itself
            await asyncio.sleep(_TICK_S)

    async def _until_back(self, service: str, before: Identity | None) -> None:
        end = time.monotonic() + _BACK_S
        url = f"{self.stack[service.replace('-', '_').upper() + '_URL']}/health/ready"
        while not await asyncio.to_thread(self._is_new, service, before, url):
            if time.monotonic() > end:
                raise NotAsExpected(f"{service} was not back within {_BACK_S:.0f} s")
            await asyncio.sleep(_TICK_S)

    def _is_new(self, service: str, before: Identity | None, url: str) -> bool:
        now = ProcessFolder(self.stack.folder).living(service)
        return now is not None and now != before and http_answers(url)

    async def _settle(self, crowd: Crowd) -> None:
        begin = time.monotonic()
        for why, error in await crowd.rest():
            self.outcome.runs.append(Run(f"a customer of {why}", 0.0, f"gave up: {error!r}"))
        left = await self.customers.wait_settled(_SETTLE_S)
        for ticket in left:
            problem = f"order {ticket.id} is {ticket.status} {_SETTLE_S:.0f} s after the last run"
            self.outcome.runs.append(Run(f"an order of {ticket.why}", 0.0, problem))
        waited = time.monotonic() - begin
        self.outcome.figures["seconds until all was settled"] = f"{waited:.0f}"
        self.outcome.figures["orders"] = by_status(self.customers.tickets)
        self.outcome.figures["reveals"] = str(self.customers.reveals)
        self.say(f"settled after {waited:.0f} s: {by_status(self.customers.tickets)}")
