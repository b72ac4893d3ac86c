"""The last line of a test run: which broker it had, and which kinds of tests were skipped and why.

test: broker apache-kafka 4.4.0; skipped: containers (no engine asked for: STACK=containers)
"""

from collections import Counter
from collections.abc import Iterable

_KINDS = ("kafka", "e2e", "integration", "component")
_CONTAINERS = "containers (no engine asked for: STACK=containers)"


def kind_of(keywords: Iterable[str]) -> str:
    """The kind of a test, by its markers."""
    found = set(keywords)
    return next((kind for kind in _KINDS if kind in found), "other")


def broker_name(kind: str, version: str) -> str:
    """How the broker is called in the line."""
    return f"{'apache-kafka' if kind == 'apache' else kind} {version}"


def summary_line(
    broker: str | None, skipped: Iterable[tuple[str, str]], *, on_containers: bool
) -> str:
    """The line, from the broker's name and the kind and reason of each skipped test."""
    parts = [
        f"{count} {kind} ({reason})" for (kind, reason), count in sorted(Counter(skipped).items())
    ]
    if not on_containers:
        parts.append(_CONTAINERS)
    name = broker or "none (no test needed one)"
    return f"test: broker {name}; skipped: {', '.join(parts) or 'nothing'}"
