"""Says what happens while the stack starts: moving lines on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class StartProgress:
    """One line a step, from its start to its end; steps may run at the same time.

    Use as a context manager. `say` prints a line between them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._live = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A piece of work; its end is printed with the seconds it took."""
        began = time.monotonic()
        if not self._console.is_terminal:
            self.say(f"  ... {what}")
        task = self._live.add_task(what)
        try:
            yield
        finally:
            self._live.remove_task(task)
        self.say(f"  ok  {what} ({time.monotonic() - began:.1f} s)")

    def say(self, line: str, style: str = "") -> None:
        """Print a line as it is: brackets in a log are no markup."""
        self._console.print(Text(line, style), soft_wrap=True)
