"""Parts that one test run starts once and all of its workers use.

The first worker that needs a part starts it, under a file lock, and writes down how to reach it;
the others read that. The run's main process ends everything, and a watchdog does so if it is
killed.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stack.processes import Identity, write_atomically
from stack.watchdog import start_watchdog, stop_everything

Address = dict[str, Any]


class SharedParts:
    """The parts of one test run, in a folder of their own; `owner` is the run's main process."""

    def __init__(self, folder: Path, owner: Identity) -> None:
        self.folder = folder
        self.owner = owner

    def address(self, name: str, start: Callable[[], Address]) -> Address:
        """How to reach the part `name`, after starting it if nobody has yet."""
        note = self.folder / f"{name}.json"
        with self._lock(name):
            if note.exists():
                found: Address = json.loads(note.read_text())
                return found
            self._ensure_watchdog()
            address = start()
            self.remember(name, address)
            return address

    def remember(self, name: str, address: Address) -> None:
        """Note how a part is reached that was started elsewhere."""
        write_atomically(self.folder / f"{name}.json", json.dumps(address))

    def known(self, name: str) -> Address | None:
        """How to reach the part if it has been started."""
        note = self.folder / f"{name}.json"
        return json.loads(note.read_text()) if note.exists() else None

    def stop(self) -> None:
        """End everything and delete the folder."""
        stop_everything(self.folder, at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ensure_watchdog(self) -> None:
        with self._lock("watchdog"):
            mark = self.folder / "watchdog.started"
            if not mark.exists():
                start_watchdog(self.owner, self.folder, remove=True)
                mark.touch()

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def this_process() -> Identity:
    """The identity of the running process."""
    identity = Identity.of(os.getpid())
    if identity is None:
        raise ProcessLookupError(os.getpid())
    return identity
