"""Keeps the services running: one that dies is started again.

A service that was killed comes back at once. One that keeps ending by itself comes back ever more
slowly, up to 30 s, so that a broken one does not eat the machine; each time is said.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stack.errors import StackError
from stack.logs import tail
from stack.processes import Command, ProcessFolder
from stack.watchdog import stop_together

_TICK_S = 0.1
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 30.0
_STABLE_AFTER_S = 20.0
_LOG_LINES = 5

Say = Callable[[str], None]


def restart_delay_s(failures_in_a_row: int) -> float:
    """Seconds before a service starts again: 0.2 at first, doubled each time, at most 30."""
    return float(min(_FIRST_DELAY_S * 2 ** max(failures_in_a_row - 1, 0), _LONGEST_DELAY_S))


@dataclass
class _Supervised:
    command: Command
    child: "subprocess.Popen[bytes]"
    started_at_s: float
    failures_in_a_row: int = 0
    restart_at_s: float | None = None


@dataclass
class Supervisor:
    """Starts commands and restarts them until it is stopped; `say` tells the user."""

    processes: ProcessFolder
    say: Say
    now_s: Callable[[], float] = time.monotonic
    _supervised: dict[str, _Supervised] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self, command: Command) -> "subprocess.Popen[bytes]":
        """Start a service; it is kept running from now on."""
        with self._lock:
            child = self.processes.start(command)
            self._supervised[command.name] = _Supervised(command, child, self.now_s())
            return child

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """End a service in order, and start it again only at the end of the block.

        Raises:
            LookupError: no such service was started.
        """
        with self._lock:
            command = self._supervised.pop(name).command
        self.processes.stop(name)
        try:
            yield
        finally:
            self.start(command)

    def is_running(self, name: str) -> bool:
        """Whether the service runs now (it may be about to start again)."""
        with self._lock:
            supervised = self._supervised.get(name)
            return supervised is not None and supervised.restart_at_s is None

    def watch(self) -> None:
        """Look after the services until `stop` is called."""
        while not self._ended.wait(_TICK_S):
            self.tick()

    def tick(self) -> None:
        """Look once: note who died, start again whose time has come."""
        with self._lock:
            for supervised in self._supervised.values():
                if supervised.restart_at_s is not None:
                    self._restart_if_due(supervised)
                elif supervised.child.poll() is not None:
                    self._plan_restart(supervised)

    def stop(self) -> None:
        """Start nothing any more, and end all services at the same time."""
        self._ended.set()
        with self._lock:
            names = list(self._supervised)
            self._supervised.clear()
        stop_together(self.processes, names)

    def _plan_restart(self, supervised: _Supervised) -> None:
        now, code = self.now_s(), supervised.child.returncode
        was_killed = code in {-signal.SIGKILL, -signal.SIGTERM}
        if was_killed or now - supervised.started_at_s > _STABLE_AFTER_S:
            supervised.failures_in_a_row = 0
        if not was_killed:
            supervised.failures_in_a_row += 1
        delay = restart_delay_s(supervised.failures_in_a_row)
        supervised.restart_at_s = now + delay
        self._say_why(supervised, code, delay)

    def _say_why(self, supervised: _Supervised, code: int, delay_s: float) -> None:
        name = supervised.command.name
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self.say(f"{name} {how}; it starts again in {delay_s:.1f} s")
        if code > 0:
            self.say(tail(self.processes.log_of(name), _LOG_LINES))

    def _restart_if_due(self, supervised: _Supervised) -> None:
        now = self.now_s()
        if supervised.restart_at_s is None or now < supervised.restart_at_s:
            return
        try:
            supervised.child = self.processes.start(supervised.command)
        except (OSError, StackError) as error:
            self.say(f"{supervised.command.name} cannot be started: {error}")
            supervised.restart_at_s = now + _LONGEST_DELAY_S
            return
        supervised.started_at_s, supervised.restart_at_s = now, None
