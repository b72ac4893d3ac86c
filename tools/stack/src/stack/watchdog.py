"""Ends what a stack left behind when its owner was killed without a chance to do so itself.

Run as `python -m stack.watchdog PID BIRTH_MARK FOLDER [--remove]`: waits until that process is
gone, then ends every process whose pid file lies in FOLDER, and with `--remove` deletes it. It
holds FOLDER's lock meanwhile, and does nothing if a new owner has it already.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack.processes import Identity, ProcessFolder, spawn

_POLL_S = 0.5
CONTAINERS_NOTE = "containers"
PARTS = frozenset({"postgres", "kafka", "s3", "mail"})


def start_watchdog(owner: Identity, folder: Path, *, remove: bool) -> "subprocess.Popen[bytes]":
    """Watch `owner` from a process of its own, which outlives it only long enough to clean up."""
    arguments = [sys.executable, "-m", "stack.watchdog", str(owner.pid), owner.born, str(folder)]
    return spawn([*arguments, *(["--remove"] if remove else [])], os.environ)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a stack's folder; gives False at once if another process holds it.

    The kernel releases it however the holder ends.
    """
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def stop_everything(folder: Path, *, at_once: bool = False) -> list[str]:
    """End every process whose pid file lies in `folder`; the names of those that were alive.

    Services first, the parts that they use afterwards.
    """
    processes = ProcessFolder(folder)
    names = processes.names()
    found = [name for name in names if processes.living(name)]
    stop_together(processes, [name for name in names if name not in PARTS], at_once=at_once)
    stop_together(processes, [name for name in names if name in PARTS], at_once=at_once)
    if (folder / CONTAINERS_NOTE).exists():
        from stack.containers import remove_containers

        remove_containers(folder)
    return found


def stop_together(processes: ProcessFolder, names: list[str], *, at_once: bool = False) -> None:
    """End several processes at the same time; returns when all are gone."""
    if not names:
        return
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        list(pool.map(lambda name: processes.stop(name, at_once=at_once), names))


def main() -> None:
    """Wait for the owner's end, then clean up."""
    parser = argparse.ArgumentParser(description="Ends what a killed stack left behind")
    parser.add_argument("pid", type=int)
    parser.add_argument("born")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--remove", action="store_true")
    options = parser.parse_args()
    # Ctrl-C in the terminal is for the owner, which then ends things in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner = Identity(options.pid, options.born)
    while owner.is_alive():
        if not options.folder.exists():
            return
        time.sleep(_POLL_S)
    if options.folder.exists():
        _clean(options.folder, remove=options.remove)


def _clean(folder: Path, *, remove: bool) -> None:
    with lock(folder) as is_mine:
        if not is_mine:
            return
        (folder / "stack.env").unlink(missing_ok=True)
        stop_everything(folder, at_once=remove)
        if remove:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
