import os
import signal
import time
from collections.abc import Callable

import pytest
from stack.processes import Command, ProcessFolder
from stack.supervisor import Supervisor, restart_delay_s

PythonCommand = Callable[..., Command]


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Said:
    """What the supervisor told the user."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def supervisor(processes: ProcessFolder, clock: Clock, said: Said) -> Supervisor:
    return Supervisor(processes, said, clock)


def tick_until(supervisor: Supervisor, clock: Clock, is_true: Callable[[], bool]) -> None:
    """Let time pass until something has happened; real waiting is for the child's end only."""
    end = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < end
        supervisor.tick()
        clock.now_s += 0.1
        time.sleep(0.01)


def test_killed_service_is_running_again_within_two_seconds(
    supervisor: Supervisor,
    processes: ProcessFolder,
    clock: Clock,
    python_command: PythonCommand,
) -> None:
    first = supervisor.start(python_command("orders"))
    os.kill(first.pid, signal.SIGKILL)
    first.wait(5)
    killed_at = clock.now_s

    tick_until(supervisor, clock, lambda: processes.living("orders") is not None)

    assert clock.now_s - killed_at < 2


def test_service_that_is_stopped_stays_so_until_the_end_of_the_block(
    supervisor: Supervisor,
    processes: ProcessFolder,
    clock: Clock,
    python_command: PythonCommand,
) -> None:
    supervisor.start(python_command("orders"))

    with supervisor.stopped("orders"):
        for _ in range(3):
            clock.now_s += 100
            supervisor.tick()
        assert processes.living("orders") is None

    assert processes.living("orders") is not None


def test_restart_has_a_new_pid_file(
    supervisor: Supervisor,
    processes: ProcessFolder,
    clock: Clock,
    python_command: PythonCommand,
) -> None:
    first = supervisor.start(python_command("orders"))
    os.kill(first.pid, signal.SIGKILL)
    first.wait(5)

    tick_until(supervisor, clock, lambda: processes.living("orders") is not None)

    living = processes.living("orders")
    assert living is not None
    assert (processes.folder / "pids" / "orders.pid").read_text() == f"{living.pid}\n"
    assert living.pid != first.pid


def test_service_that_is_killed_again_and_again_comes_back_each_time_at_once(
    supervisor: Supervisor,
    processes: ProcessFolder,
    clock: Clock,
    python_command: PythonCommand,
) -> None:
    supervisor.start(python_command("orders"))
    waits = []

    for _ in range(5):
        living = processes.living("orders")
        assert living is not None
        os.kill(living.pid, signal.SIGKILL)
        living.wait_gone(5.0)
        killed_at = clock.now_s
        tick_until(supervisor, clock, lambda: processes.living("orders") is not None)
        waits.append(clock.now_s - killed_at)

    assert max(waits) < 2


def test_service_that_keeps_ending_is_started_ever_more_slowly_and_its_log_is_shown(
    supervisor: Supervisor, clock: Clock, said: Said, python_command: PythonCommand
) -> None:
    supervisor.start(python_command("orders", "import sys; sys.exit('no database')"))

    tick_until(supervisor, clock, lambda: len(said.lines) >= 6)

    assert [line for line in said.lines if line.startswith("orders ended")][:3] == [
        "orders ended with exit code 1; it starts again in 0.2 s",
        "orders ended with exit code 1; it starts again in 0.4 s",
        "orders ended with exit code 1; it starts again in 0.8 s",
    ]
    assert "no database" in said.lines[1]


def test_stopped_supervisor_leaves_no_process_and_restarts_none(
    supervisor: Supervisor, processes: ProcessFolder, python_command: PythonCommand
) -> None:
    names = ["orders", "payments", "delivery"]
    children = [supervisor.start(python_command(name)) for name in names]

    supervisor.stop()
    supervisor.tick()

    assert [child.poll() is None for child in children] == [False] * 3
    assert [processes.living(name) for name in names] == [None] * 3


def test_delay_never_exceeds_thirty_seconds() -> None:
    assert restart_delay_s(0) == 0.2
    assert restart_delay_s(50) == 30.0
