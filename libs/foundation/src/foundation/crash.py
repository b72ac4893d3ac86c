"""Named places where a test can end the process, to prove that nothing is lost there.

Off unless ENVIRONMENT=development and one is armed with `name[:signal[:hit]]`, for example
`kinguin.after_post:KILL:2` for SIGKILL on the second pass: in CRASH_POINT for a new process,
or for a running one in the file that CRASH_POINT_FILE names. That file is renamed to
`<file>.fired` right before the signal, so that what was armed once ends one process once.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Final

_IS_DEVELOPMENT: Final = os.environ.get("ENVIRONMENT") == "development"
_ARMED: Final = os.environ.get("CRASH_POINT", "") if _IS_DEVELOPMENT else ""
_FILE: Final = os.environ.get("CRASH_POINT_FILE", "") if _IS_DEVELOPMENT else ""
_passes: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Mark a place between two effects; does nothing unless it was switched on."""
    if not (_ARMED or _FILE):
        return
    armed = _read_file() if _FILE else _ARMED
    target, ending, hit, *_ = (*armed.strip().split(":"), "", "", "")
    if name != target:
        return
    _passes[armed] += 1
    if _passes[armed] == int(hit or 1) and _take():
        os.kill(os.getpid(), signal.Signals[f"SIG{ending or 'KILL'}"])
        time.sleep(1)  # a signal that is handled by the event loop must not let the work go on


def _read_file() -> str:
    try:
        return Path(_FILE).read_text()
    except FileNotFoundError:
        return ""


def _take() -> bool:
    """Whether this process is the one that ends: of several the first to move the file."""
    try:
        return not _FILE or bool(Path(_FILE).rename(f"{_FILE}.fired"))
    except FileNotFoundError:
        return False
