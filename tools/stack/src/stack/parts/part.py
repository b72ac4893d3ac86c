"""What every part of the stack can do: start, be awaited, be stopped."""

import subprocess
import time
from collections.abc import Callable
from typing import Protocol

from stack.errors import PartFailed
from stack.processes import ProcessFolder

_POLL_S = 0.05


class Part(Protocol):
    """A server that the stack starts. `start` returns when it answers."""

    name: str

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StackError: it cannot start; the text says why and what to do.
        """
        ...

    def stop(self, *, at_once: bool = False) -> None:
        """End it: properly, or `at_once` where its data is thrown away anyway."""
        ...


def wait_until_ready(
    name: str,
    child: "subprocess.Popen[bytes]",
    folder: ProcessFolder,
    *,
    is_ready: Callable[[], bool],
    deadline_s: float,
) -> None:
    """Wait until the child answers.

    Raises:
        PartFailed: it ended, or did not answer within `deadline_s` seconds.
    """
    end = time.monotonic() + deadline_s
    log = folder.log_of(name)
    while not is_ready():
        if child.poll() is not None:
            reason = f"ended at once (exit code {child.returncode})"
            raise PartFailed(name, reason, log)
        if time.monotonic() > end:
            raise PartFailed(name, f"did not answer within {deadline_s:.0f} s", log)
        time.sleep(_POLL_S)
