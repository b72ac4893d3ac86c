"""Our rules and routes with shorter times: one factor for all, everything else as it is.

Divided are `for`, the windows of range selectors, the intervals of groups and routes, and the
ages that something may reach (`..._age_seconds`, `..._timestamp_seconds`, the lag of a consumer).
Shares, counts, money and how long an event loop may block stay.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

FACTOR: Final = 12
"""Five minutes are 25 s: five scrapes, and longer than a service takes to read its own figures."""
LEAST_WINDOW_S: Final = 20.0
"""`rate` wants some scrapes, which come every five seconds."""
LEAST_AGE_S: Final = 20.0
"""Services read their figures every 5 to 15 s: below that, healthy ones would look old."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_WINDOW: Final = re.compile(r"\[(\d+(?:ms|s|m|h|d))\]")
_AGE: Final = re.compile(
    r"((?:\w+_age_seconds|\w+_timestamp_seconds|consumer_lag_seconds)[^<>]*> )(\d+)"
)
_WAITS: Final = frozenset(
    {"for", "keep_firing_for", "interval", "group_wait", "group_interval", "repeat_interval"}
)


def shorten(node: Any, factor: float = FACTOR) -> Any:
    """A parsed rule file or Alertmanager file with its times divided."""
    if isinstance(node, Mapping):
        return {key: _value(key, value, factor) for key, value in node.items()}
    if isinstance(node, list):
        return [shorten(entry, factor) for entry in node]
    return node


def seconds(duration: str) -> float:
    """A duration of Prometheus in seconds: `1h30m`, `15s`."""
    return sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def _value(key: str, value: Any, factor: float) -> Any:
    if key in _WAITS:
        return _text(seconds(value) / factor)
    if key == "expr":
        return _expression(str(value), factor)
    return shorten(value, factor)


def _expression(text: str, factor: float) -> str:
    def window(found: re.Match[str]) -> str:
        return f"[{_text(max(seconds(found[1]) / factor, LEAST_WINDOW_S))}]"

    def age(found: re.Match[str]) -> str:
        limit = float(found[2])
        short = max(limit / factor, LEAST_AGE_S) if limit else limit
        return f"{found[1]}{short:g}"

    return _AGE.sub(age, _WINDOW.sub(window, text))


def _text(length_s: float) -> str:
    return f"{round(length_s * 1000)}ms"
