"""The demonstration: a quiet time, the faults, and a look at who was told what."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from stack.mailboxes import Maildir
from stack.ports import LOOPBACK

from chaos.alerts import shop_hands as hands
from chaos.alerts.catalogue import FAULTS
from chaos.alerts.inbox import Inbox, mailed
from chaos.alerts.lanes import Lanes
from chaos.alerts.page import Findings
from chaos.alerts.programs import Programs, Receivers, repeat_intervals_s
from chaos.alerts.watch import Watch
from chaos.customers import Ticket
from chaos.mail_faults import FaultyMail
from chaos.tcp_proxy import ProxyHost
from chaos.world import World

MAIL_TO: Final = "on-call@bitloot.test"
LONGEST_S: Final = 540.0
"""For everything after the start of the stack."""
_QUIET_S: Final = 30.0
_ENDS_S: Final = 60.0
_PROGRESS_S: Final = 10.0

Say = Callable[[str], None]


@dataclass
class Demonstration:
    """One run on one stack."""

    world: World
    host: ProxyHost
    say: Say

    async def run(self) -> Findings:
        """Make every fault; what was seen and told.

        Raises:
            StackError: Prometheus or Alertmanager is not here, or does not start.
        """
        begin = time.monotonic()
        mail = FaultyMail(self.world.stack.folder / "alert-mails")
        self.host.run(mail.start())
        with Inbox.open(repeat_intervals_s()) as inbox:
            programs = Programs(self.world.stack, _receivers(mail, inbox))
            await asyncio.to_thread(programs.start)
            try:
                findings = await self._watch(programs)
            finally:
                await asyncio.to_thread(programs.stop)
                self.host.run(mail.stop())
        findings.told = inbox.told()
        findings.mailed = _mails(mail)
        findings.repetitions = inbox.repetitions()
        findings.life_signs = inbox.life_signs
        findings.seconds = time.monotonic() - begin
        return findings

    async def _watch(self, programs: Programs) -> Findings:
        watch = Watch(programs.prometheus_url, programs.alertmanager_url, self.world.http)
        async with watch.running(), self._progress(watch):
            healthy = await self._healthy_order()
            self.say(f"quiet for {_QUIET_S:.0f} s: nothing may fire but the watchdog")
            await asyncio.sleep(_QUIET_S)
            findings = Findings(watch.stories, watch.firing)
            lanes = Lanes(self.world, watch, healthy)
            try:
                async with asyncio.timeout(LONGEST_S):
                    await lanes.run()
                    self.say(f"all faults are taken back; {_ENDS_S:.0f} s for alerts to end")
                    await asyncio.sleep(_ENDS_S)
            except TimeoutError:
                self.say(f"stopped after {LONGEST_S:.0f} s")
            findings.inhibited = frozenset(watch.inhibited)
            findings.broken = lanes.broken
        return findings

    async def _healthy_order(self) -> Ticket:
        customers = self.world.customers
        await customers.open_shop(own=1, keys_each=50)
        return await hands.settled(self.world, await customers.order_and_pay("healthy", "own"))

    @asynccontextmanager
    async def _progress(self, watch: Watch) -> AsyncIterator[None]:
        task = asyncio.create_task(self._say_progress(watch))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _say_progress(self, watch: Watch) -> None:
        begin, known = time.monotonic(), 0
        while True:
            await asyncio.sleep(_PROGRESS_S)
            fired = [name for name in FAULTS if watch.has_fired(name)]
            if len(fired) != known:
                waits = [n for n in FAULTS if watch.stories[n].fault_at and n not in fired]
                since = f"{time.monotonic() - begin:4.0f} s"
                self.say(f"{since}: {len(fired)} of {len(FAULTS)}; waiting: {', '.join(waits)}")
            known = len(fired)


def _receivers(mail: FaultyMail, inbox: Inbox) -> Receivers:
    return Receivers(mail.port, MAIL_TO, f"{inbox.base_url}/alerts", f"{inbox.base_url}/watchdog")


def _mails(mail: FaultyMail) -> Counter[str]:
    return mailed(Maildir(LOOPBACK, mail.port, mail.maildir).mails())
