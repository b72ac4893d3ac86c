import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from stack import running
from stack.errors import AlreadyRunning
from stack.processes import Command, Identity, ProcessFolder, spawn
from stack.stack_env import read_stack_env, write_stack_env
from stack.watchdog import start_watchdog

PythonCommand = Callable[..., Command]
OWNER = """
import sys, time, pathlib
from stack import running
from stack.processes import Command, ProcessFolder
folder = pathlib.Path(sys.argv[1])
with running.owning(folder):
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    ProcessFolder(folder).start(Command("orders", sleeper, {}, grace_s=2.0))
    (folder / "stack.env").write_text("ORDERS_URL=x\\n")
    (folder / "started").touch()
    time.sleep(60)
"""


def start_owner(folder: Path) -> Identity:
    """A process that owns a stack with one service."""
    child = spawn([sys.executable, "-c", OWNER, str(folder)], os.environ)
    wait_for((folder / "started").exists)
    identity = Identity.of(child.pid)
    assert identity is not None
    return identity


def wait_for(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_second_stack_in_the_same_folder_is_refused_with_the_first_ones_pid(
    tmp_path: Path,
) -> None:
    owner = start_owner(tmp_path)

    with pytest.raises(AlreadyRunning, match=f"process {owner.pid}"), running.owning(tmp_path):
        pass

    running.end(tmp_path)


def test_what_a_killed_owner_left_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    owner = start_owner(tmp_path)
    orders = ProcessFolder(tmp_path).living("orders")
    assert orders is not None
    owner.send(signal.SIGKILL)
    owner.wait_gone(5.0)

    with running.owning(tmp_path):
        assert not orders.is_alive()
        assert read_stack_env(tmp_path) is None


def test_watchdog_ends_what_a_killed_owner_left_without_anybody_asking(tmp_path: Path) -> None:
    owner = start_owner(tmp_path)
    orders = ProcessFolder(tmp_path).living("orders")
    assert orders is not None

    owner.send(signal.SIGKILL)

    assert orders.wait_gone(10.0)
    wait_for(lambda: read_stack_env(tmp_path) is None)


def test_end_without_a_stack_does_nothing(tmp_path: Path) -> None:
    assert running.end(tmp_path / "never") == []


def test_owner_that_ends_normally_leaves_no_environment_file(tmp_path: Path) -> None:
    with running.owning(tmp_path):
        write_stack_env(tmp_path, {"ORDERS_URL": "http://127.0.0.1:1", "ADMIN_TOKEN": "a=b"})
        seen = read_stack_env(tmp_path)

    assert seen == {"ORDERS_URL": "http://127.0.0.1:1", "ADMIN_TOKEN": "a=b"}
    assert read_stack_env(tmp_path) is None


def test_watchdog_leaves_the_processes_of_a_new_owner_alone(
    tmp_path: Path, processes: ProcessFolder, python_command: PythonCommand
) -> None:
    with running.owning(tmp_path):
        orders = processes.start(python_command("orders"))
        gone = Identity(2**22 - 1, "never")
        watchdog = start_watchdog(gone, tmp_path, remove=False)

        watchdog.wait(10)

        assert orders.poll() is None
        assert json.loads((tmp_path / "owner.json").read_text()) == asdict(own_identity())


def own_identity() -> Identity:
    identity = Identity.of(os.getpid())
    assert identity is not None
    return identity
