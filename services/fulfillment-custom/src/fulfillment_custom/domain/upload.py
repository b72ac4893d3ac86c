"""Read uploaded keys: what is one, and what is wrong with a line. Never repeats a key."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from foundation.sealing import GameKey

MAX_KEYS: Final = 10_000
MAX_KEY_CHARACTERS: Final = 1_000
"""Longer than any key of a shop we know; what is longer is a wrong file."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A key and the line it stood in (from 1)."""

    line: int
    key: GameKey


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that holds no key, and why; never the text itself."""

    line: int
    reason: str


def read_keys(lines: Iterable[str | None]) -> tuple[list[Accepted], list[Rejected]]:
    """Sort lines into keys and faults; empty lines are passed over, None is a row of many."""
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    for number, text in enumerate(lines, start=1):
        if text is None:
            rejected.append(Rejected(number, "has more than one column"))
            continue
        key = text.strip()
        if not key:
            continue
        if reason := _fault(key):
            rejected.append(Rejected(number, reason))
        else:
            accepted.append(Accepted(number, GameKey.from_text(key)))
    return accepted, rejected


def _fault(key: str) -> str | None:
    if len(key) > MAX_KEY_CHARACTERS:
        return f"is longer than {MAX_KEY_CHARACTERS} characters"
    if not key.isprintable():
        return "contains a character that cannot be printed"
    return None
