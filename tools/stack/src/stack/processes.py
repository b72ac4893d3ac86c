"""Child processes that can be found and ended again, whatever happened to their parent.

A process id alone may belong to a foreign process by now, so each pid file has an identity file
beside it that says when the process was born; nothing is ever signalled on the pid alone.
Every child leads a process group of its own, so that its helpers end with it.
"""

import atexit
import contextlib
import json
import os
import platform
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

from stack.errors import Stopping

_POLL_S = 0.02
# Children outlive the objects that started them, on purpose; kept so that Python does not warn.
_children: list["subprocess.Popen[bytes]"] = []


@atexit.register
def _disown() -> None:
    """Some outlive this process as well: Python shall not complain about those at its end."""
    for child in _children:
        if child.poll() is None:
            child.returncode = 0


def birth_mark(pid: int) -> str | None:
    """What tells this process from any other that had or will have its id; None if it is gone.

    On Linux boot id and start tick, which do not move when the clock is set; elsewhere the
    start time as psutil reads it.
    """
    if platform.system() != "Linux":
        try:
            return str(psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in {"Z", "X"}:
        return None
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"


@dataclass(frozen=True)
class Identity:
    """A process id together with its birth mark."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The identity of a living process."""
        born = birth_mark(pid)
        return cls(pid, born) if born else None

    def is_alive(self) -> bool:
        """Whether it runs: not gone, not replaced, not waiting to be reaped."""
        return birth_mark(self.pid) == self.born

    def signal_group(self, number: int) -> None:
        """Signal the process and its group, if it still is the one that we mean."""
        if not self.is_alive():
            return
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def send(self, number: int) -> None:
        """Signal the process alone, if it still is the one that we mean."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait_gone(self, deadline_s: float) -> bool:
        """Whether the process ended within `deadline_s` seconds."""
        end = time.monotonic() + deadline_s
        while self.is_alive():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def stop(self, *, number: int = signal.SIGTERM, grace_s: float = 10.0) -> None:
        """Ask the process group to end; kill it when `grace_s` seconds have passed."""
        self.signal_group(number)
        if not self.wait_gone(grace_s):
            self.signal_group(signal.SIGKILL)
            self.wait_gone(5.0)


def _reap(pid: int) -> None:
    # Only a child of ours can be reaped; for all others the kernel says so.
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)


@dataclass(frozen=True)
class Command:
    """What to run: a name for files and messages, the program, its whole environment."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0
    kill_signal: int = signal.SIGKILL  # for ending it at once; it must be gone within 5 s


@dataclass(frozen=True)
class _Record:
    identity: Identity
    stop_signal: int
    grace_s: float
    kill_signal: int


class ProcessFolder:
    """Starts children and keeps their logs and pid files in `<folder>/logs` and `<folder>/pids`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._logs = folder / "logs"
        self._pids = folder / "pids"
        self._lock = threading.Lock()
        self._is_closed = False

    def log_of(self, name: str) -> Path:
        """The file that holds the output of `name`."""
        return self._logs / f"{name}.log"

    def start(self, command: Command) -> "subprocess.Popen[bytes]":
        """Start a child in a process group of its own and write down who it is.

        Raises:
            Stopping: the folder is closed.
            OSError: the program cannot be run.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._pids.mkdir(parents=True, exist_ok=True)
        with self._lock, self.log_of(command.name).open("ab") as log:
            if self._is_closed:
                raise Stopping
            child = spawn(command.arguments, command.environment, output=log)
            self._write(command, child.pid)
        return child

    def close(self) -> None:
        """Start nothing any more, whatever other threads are about to do."""
        with self._lock:
            self._is_closed = True

    def stop(self, name: str, *, at_once: bool = False) -> None:
        """End what runs under `name`, if it is still the process that we started."""
        record = self._read(name)
        if record and at_once:
            record.identity.stop(number=record.kill_signal, grace_s=5.0)
        elif record:
            record.identity.stop(number=record.stop_signal, grace_s=record.grace_s)
        if record:
            _reap(record.identity.pid)
        self.forget(name)

    def forget(self, name: str) -> None:
        """Remove the pid file of a process that has ended."""
        for suffix in ("identity", "pid"):
            (self._pids / f"{name}.{suffix}").unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Whatever was started here and not forgotten, alive or not, latest first."""
        files = sorted(self._pids.glob("*.identity"), key=lambda file: file.stat().st_mtime_ns)
        return [file.stem for file in reversed(files)]

    def living(self, name: str) -> Identity | None:
        """The identity of `name` if it lives."""
        record = self._read(name)
        return record.identity if record and record.identity.is_alive() else None

    def _write(self, command: Command, pid: int) -> None:
        (self._pids / f"{command.name}.pid").write_text(f"{pid}\n")
        identity = Identity.of(pid)
        if identity is None:
            return  # ended at once; whoever waits for it will say so
        record = _Record(identity, command.stop_signal, command.grace_s, command.kill_signal)
        write_atomically(self._pids / f"{command.name}.identity", json.dumps(asdict(record)))

    def _read(self, name: str) -> _Record | None:
        try:
            found = json.loads((self._pids / f"{name}.identity").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return _Record(**found | {"identity": Identity(**found["identity"])})


def spawn(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    output: "IO[bytes] | int" = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start a child in a session and process group of its own, out of reach of Ctrl-C.

    Raises:
        OSError: the program cannot be run.
    """
    child = subprocess.Popen(
        list(arguments),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    _children.append(child)
    return child


def run_to_end(
    arguments: Sequence[str],
    *,
    deadline_s: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and keep what it says.

    Raises:
        OSError: the program cannot be run.
        subprocess.TimeoutExpired: it did not end within `deadline_s` seconds.
    """
    return subprocess.run(
        list(arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=deadline_s,
        env=dict(environment) if environment is not None else None,
    )


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `text` in one step, so that no reader sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
