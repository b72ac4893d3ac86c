"""The fault matrix: orders run, a fault is made and taken back, and all comes to rest.

After each scenario its orders must have ended as the scenario allows, within ten minutes,
and every invariant must hold.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from stack.verify import verify

from chaos.customers import Ticket, by_status
from chaos.faults import CannotBeMade
from chaos.outcome import Outcome, Run
from chaos.scenarios import Scenario
from chaos.world import World

_QUIET_S: Final = 600.0
_LOOK_S: Final = 1.0
_BITTEN_S: Final = 120.0

Say = Callable[[str], None]


class NotAtRest(Exception):
    """Orders did not come to an end that their scenario allows."""


class WithoutEffect(Exception):
    """A fault that must be seen in the ends of orders was not."""


@dataclass
class FaultMatrix:
    """All scenarios on one stack; no fault is held for more than `longest_s` seconds.

    None begins after `ends_at` on the monotonic clock.
    """

    world: World
    outcome: Outcome
    say: Say
    longest_s: float
    ends_at: float

    async def run(self, scenarios: Sequence[Scenario]) -> None:
        """One after the other, each judged."""
        begin = time.monotonic()
        await self.world.customers.open_shop()
        for number, scenario in enumerate(scenarios, 1):
            if time.monotonic() > self.ends_at:
                break
            try:
                run = await self._one(scenario)
            except CannotBeMade as reason:
                self.outcome.figures[f"not made: {scenario.name}"] = str(reason)
                self.say(f"{number}/{len(scenarios)} {scenario.name}: NOT MADE, {reason}")
                continue
            self.outcome.runs.append(run)
            said = run.problem or "ok"
            self.say(f"{number}/{len(scenarios)} {run.name}: {said}, {run.seconds:.1f} s")
        left = len(scenarios) - len(self.outcome.runs)
        self.outcome.figures["scenarios left out for want of time"] = str(left)
        self.outcome.orders = len(self.world.customers.tickets)
        self.outcome.figures["orders"] = by_status(self.world.customers.tickets)
        self.outcome.seconds = round(time.monotonic() - begin, 1)

    async def _one(self, scenario: Scenario) -> Run:
        begin, problem = time.monotonic(), None
        try:
            tickets = await self._suffer(scenario)
            await self._rest(scenario, tickets)
        except CannotBeMade:
            raise
        except Exception as error:  # noqa: BLE001  whatever went wrong is this run's result
            problem = f"{type(error).__name__}: {error}"
        problems = [problem, await self._judge()]
        said = "; ".join(filter(None, problems)) or None
        return Run(scenario.name, round(time.monotonic() - begin, 1), said)

    async def _suffer(self, scenario: Scenario) -> list[Ticket]:
        """Orders spread over the time of the fault; they may be finished after it."""
        seconds = min(scenario.seconds, self.longest_s)
        begun = []
        try:
            async with scenario.fault(self.world):
                for _ in range(scenario.orders):
                    begun.append(asyncio.create_task(self._buy(scenario)))
                    await asyncio.sleep(seconds / scenario.orders)
                await self._until_bitten(scenario)
            return await asyncio.gather(*begun)
        finally:
            for task in begun:
                task.cancel()  # a fault that broke leaves nobody behind who buys on

    async def _until_bitten(self, scenario: Scenario) -> None:
        end = time.monotonic() + _BITTEN_S
        while scenario.bites and time.monotonic() < end:
            mine = [t for t in self.world.customers.tickets if t.why == scenario.name]
            for ticket in mine:
                await self.world.customers.page(ticket)
            if scenario.has_bitten(ticket.status for ticket in mine):
                break
            await asyncio.sleep(_LOOK_S)

    async def _buy(self, scenario: Scenario) -> Ticket:
        return await scenario.customer(self.world, scenario.name)

    async def _rest(self, scenario: Scenario, tickets: Sequence[Ticket]) -> None:
        end = time.monotonic() + _QUIET_S
        while True:
            for ticket in tickets:
                await self.world.customers.page(ticket)
            left = [ticket for ticket in tickets if ticket.status not in scenario.ends]
            if not left:
                break
            if time.monotonic() > end:
                raise NotAtRest(", ".join(f"{t.id} is {t.status}" for t in left))
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(scenario.stays_s)
        for ticket in tickets:
            await self.world.customers.page(ticket)
        if gone := [ticket for ticket in tickets if ticket.status not in scenario.ends]:
            raise NotAtRest(", ".join(f"{t.id} became {t.status}" for t in gone))
        if not scenario.has_bitten(ticket.status for ticket in tickets):
            raise WithoutEffect("no order shows the fault: it came too late, or was not made")

    async def _judge(self) -> str | None:
        report = await asyncio.to_thread(verify, self.world.stack)
        known = sum(map(len, self.outcome.violations.values()))
        self.outcome.violations.clear()
        self.outcome.judge(report)
        found = sum(map(len, self.outcome.violations.values()))
        return f"{found} violations, {known} before" if found > known else None
