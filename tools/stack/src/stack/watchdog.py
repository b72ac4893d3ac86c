"""Ends what a stack left behind when its owner was killed without a chance to do so itself.

Run as `python -m stack.watchdog PID BIRTH_MARK FOLDER [--remove]`: waits until that process is
gone, then ends every process whose pid file lies in FOLDER, and with `--remove` deletes it.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from stack.processes import Identity, ProcessFolder, spawn

_POLL_S = 0.5
NAME = "watchdog"


def start_watchdog(owner: Identity, folder: Path, *, remove: bool) -> "subprocess.Popen[bytes]":
    """Watch `owner` from a process of its own, which outlives it only long enough to clean up."""
    arguments = [sys.executable, "-m", "stack.watchdog", str(owner.pid), owner.born, str(folder)]
    return spawn([*arguments, *(["--remove"] if remove else [])], os.environ)


def stop_everything(folder: Path, *, at_once: bool = False) -> list[str]:
    """End every process whose pid file lies in `folder`, latest first; the names of those alive."""
    processes = ProcessFolder(folder)
    found = [name for name in processes.names() if processes.living(name)]
    for name in processes.names():
        processes.stop(name, at_once=at_once)
    return found


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
    stop_everything(options.folder, at_once=options.remove)
    if options.remove:
        shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
