"""What can go wrong when the stack starts, said so that a person knows what to do.

StackError
├── PortBusy            another process listens on a port that we need
├── PartFailed          a server or service ended or did not become ready in time
├── ToolMissing         Java, Maven or another program is not there
├── AlreadyRunning      another stack uses the same folder
└── Stopping            the stack is being stopped while it still starts
"""

from pathlib import Path

from stack.logs import tail


class StackError(Exception):
    """The base: its text is shown to the user as it stands, without a stack trace."""


class PortBusy(StackError):
    """Another process listens on `port`."""

    def __init__(self, port: int, needed_by: str) -> None:
        self.port = port
        super().__init__(
            f"port {port} ({needed_by}) is used by another program: end that program, "
            f"or move all ports of the stack, for example BITLOOT_PORT_SHIFT=100 make up"
        )


class PartFailed(StackError):
    """`name` ended or was not ready within its deadline; `log` holds its output."""

    def __init__(self, name: str, reason: str, log: Path | None = None) -> None:
        self.name = name
        self.log = log
        text = f"{name} {reason}"
        super().__init__(f"{text}; the end of {log}:\n{tail(log)}" if log else text)


class ToolMissing(StackError):
    """A program that was asked for is not installed."""

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(f"{tool} is missing: {remedy}")


class AlreadyRunning(StackError):
    """A stack runs in this folder already."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.pid = pid
        super().__init__(
            f"a stack runs already in {folder} (process {pid}): `make down` ends it, "
            "`make status` shows it"
        )


class Stopping(StackError):
    """The stack is being stopped; nothing new is started."""

    def __init__(self) -> None:
        super().__init__("stopped while it was starting")
