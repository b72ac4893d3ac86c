"""One stack a folder: who runs it, and ending it from another terminal.

The owner holds a lock on `<folder>/lock` as long as it lives; the kernel releases it however the
owner ends. What a killed owner left behind is found by its pid files.
"""

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from stack.errors import AlreadyRunning, StackError
from stack.processes import Identity, write_atomically
from stack.shared_parts import this_process
from stack.stack_env import stack_env_file
from stack.watchdog import lock, start_watchdog, stop_everything

_STOP_DEADLINE_S = 90.0
_POLL_S = 0.1


@contextlib.contextmanager
def owning(folder: Path) -> Iterator[list[str]]:
    """Be the one stack of `folder`; gives the names of processes that a killed one had left.

    They are ended, and `stack.env` is removed, before and after.

    Raises:
        AlreadyRunning: another stack runs there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _wait_for_cleaner(folder)
    with lock(folder) as is_mine:
        if not is_mine:
            raise AlreadyRunning(folder, _owner_pid(folder))
        left = _clean(folder)
        owner = this_process()
        write_atomically(_owner_file(folder), json.dumps(asdict(owner)))
        watchdog = start_watchdog(owner, folder, remove=False)
        try:
            yield left
        finally:
            _clean(folder)
            _owner_file(folder).unlink(missing_ok=True)
            # Before the lock is free: it must not mistake the next owner's processes for ours.
            watchdog.kill()
            watchdog.wait()


def _wait_for_cleaner(folder: Path) -> None:
    """Wait while a watchdog ends what a killed owner had left; an owner that lives is no reason."""
    end_at = time.monotonic() + _STOP_DEADLINE_S
    while time.monotonic() < end_at:
        owner = _owner(folder)
        if owner is None or owner.is_alive() or not is_owned(folder):
            return
        time.sleep(_POLL_S)


def end(folder: Path) -> list[str]:
    """End the stack of `folder` and whatever was left of one; the names of what was running.

    Raises:
        StackError: its owner does not end within 90 s.
    """
    if not folder.exists():
        return []
    owner = _owner(folder)
    with lock(folder) as is_free:
        if is_free:
            return _clean(folder)
    if owner:
        owner.send(signal.SIGTERM)
    end_at = time.monotonic() + _STOP_DEADLINE_S
    while time.monotonic() < end_at:
        with lock(folder) as is_free:
            if is_free:
                _clean(folder)
                return ["stack"]
        time.sleep(_POLL_S)
    raise StackError(f"the stack in {folder} (process {_owner_pid(folder)}) does not end: kill it")


def is_owned(folder: Path) -> bool:
    """Whether a stack runs in `folder`, ready or not."""
    if not folder.exists():
        return False
    with lock(folder) as is_free:
        return not is_free


def _clean(folder: Path) -> list[str]:
    stack_env_file(folder).unlink(missing_ok=True)
    return stop_everything(folder)


def _owner_file(folder: Path) -> Path:
    return folder / "owner.json"


def _owner(folder: Path) -> Identity | None:
    try:
        return Identity(**json.loads(_owner_file(folder).read_text()))
    except (FileNotFoundError, ValueError):
        return None


def _owner_pid(folder: Path) -> int:
    owner = _owner(folder)
    return owner.pid if owner else 0
