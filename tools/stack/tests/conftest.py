import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stack.processes import Command, ProcessFolder
from stack.watchdog import stop_everything

Sleeper = Callable[..., Command]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """A folder for children; whatever a test leaves is ended."""
    yield ProcessFolder(tmp_path)
    stop_everything(tmp_path, at_once=True)


@pytest.fixture
def python_command() -> Sleeper:
    """A command that runs a line of Python: `python_command("name", "print(1)")`."""

    def make(name: str, line: str = "import time; time.sleep(60)") -> Command:
        return Command(name, [sys.executable, "-c", line], {}, grace_s=3.0)

    return make
