"""Reading the ends of log files."""

from pathlib import Path


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; empty if there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
