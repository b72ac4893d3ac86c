import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stack.errors import Stopping
from stack.processes import Command, Identity, ProcessFolder, spawn, write_atomically

PythonCommand = Callable[..., Command]


def test_pid_file_holds_the_process_id(
    processes: ProcessFolder, python_command: PythonCommand
) -> None:
    child = processes.start(python_command("orders"))

    assert (processes.folder / "pids" / "orders.pid").read_text() == f"{child.pid}\n"


def test_output_goes_to_the_log(processes: ProcessFolder, python_command: PythonCommand) -> None:
    child = processes.start(python_command("orders", "print('hello')"))

    child.wait(10)

    assert processes.log_of("orders").read_text() == "hello\n"


def test_stop_ends_the_process_and_its_children(
    processes: ProcessFolder, python_command: PythonCommand, tmp_path: Path
) -> None:
    note = tmp_path / "grandchild"
    line = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(note)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    processes.start(python_command("orders", line))
    while not note.exists() or not note.read_text():
        pass
    grandchild = Identity.of(int(note.read_text()))

    processes.stop("orders")

    assert processes.living("orders") is None
    assert grandchild is not None
    assert grandchild.wait_gone(5.0)


def test_process_that_ignores_the_signal_is_killed_after_its_grace(
    processes: ProcessFolder,
) -> None:
    line = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(60)"
    )
    child = processes.start(Command("deaf", [sys.executable, "-c", line], {}, grace_s=0.2))
    while "ready" not in processes.log_of("deaf").read_text():
        pass

    processes.stop("deaf")

    assert child.poll() is not None


def test_stale_pid_of_a_foreign_process_is_never_signalled(processes: ProcessFolder) -> None:
    foreign = spawn([sys.executable, "-c", "import time; time.sleep(60)"], {})
    pids = processes.folder / "pids"
    pids.mkdir()
    (pids / "orders.pid").write_text(f"{foreign.pid}\n")
    record = {
        "identity": {"pid": foreign.pid, "born": "another boot:1"},
        "stop_signal": signal.SIGTERM,
        "grace_s": 1.0,
        "kill_signal": signal.SIGKILL,
    }
    (pids / "orders.identity").write_text(json.dumps(record))

    processes.stop("orders")

    assert foreign.poll() is None
    assert not (pids / "orders.pid").exists()
    foreign.kill()
    foreign.wait()


def test_pid_file_without_identity_is_not_trusted(processes: ProcessFolder) -> None:
    pids = processes.folder / "pids"
    pids.mkdir()
    (pids / "orders.pid").write_text(f"{os.getpid()}\n")

    processes.stop("orders")

    assert not (pids / "orders.pid").exists()


def test_closed_folder_starts_nothing(
    processes: ProcessFolder, python_command: PythonCommand
) -> None:
    processes.close()

    with pytest.raises(Stopping):
        processes.start(python_command("orders"))


def test_identity_of_an_ended_process_is_not_alive() -> None:
    child = spawn([sys.executable, "-c", ""], {})
    identity = Identity.of(child.pid)
    child.wait(10)

    assert identity is not None
    assert not identity.is_alive()


def test_secret_file_is_replaced_whole_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    file.write_text("OLD=1\n")

    write_atomically(file, "NEW=2\n", mode=0o600)

    assert file.read_text() == "NEW=2\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
