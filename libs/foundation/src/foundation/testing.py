"""For tests: a clock to set, and the log as a process would print it."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog

from foundation.logging import configure_logging


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """The moment the test has set."""
        return self._now

    def advance(self, seconds: float = 0, **parts: float) -> None:
        """Move on by seconds, or by the parts of a `timedelta`."""
        self._now += timedelta(seconds=seconds, **parts)


@contextmanager
def captured_log(service: str) -> Iterator[io.StringIO]:
    """What a process of this service would print, as JSON lines; undone afterwards."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    before = structlog.get_config()
    configure_logging(service, "info", stream)
    try:
        yield stream
    finally:
        root.handlers, root.level = handlers, level
        logging.captureWarnings(capture=False)
        structlog.configure(**before)


def configure_test_log() -> None:
    """Print errors as Python does.

    What structlog does by default is to draw the variables of every frame: half a second of work
    for an error of the database, inside of the transaction that logs it.
    """
    *processors, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, plain])
