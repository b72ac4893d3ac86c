"""The ledger on disk: a file of JSON lines, one line a change, the last one of an id counts.

A change is one unbuffered write made before the request is answered, so it
outlives SIGTERM and kill -9. It is not meant to outlive a power cut: no fsync.
"""

import json
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any


class StateUnreadable(Exception):
    """The state file holds something other than a ledger."""

    def __init__(self, path: Path, line_number: int) -> None:
        super().__init__(
            f"line {line_number} of the state file {path} is not readable: "
            "move the file away to start with an empty ledger"
        )


class Journal:
    """Append-only record keeping; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: FileIO | None = None

    def load(self) -> list[tuple[str, dict[str, Any]]]:
        """All changes as (kind, record), oldest first; a torn last line is dropped.

        Raises:
            StateUnreadable: any other line is not one of ours.
        """
        if self._path is None or not self._path.exists():
            return []
        return list(_changes(self._path))

    def start(self, records: list[tuple[str, str]]) -> None:
        """Replace the file by these (kind, record as JSON), then append to it."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text("".join(_line(kind, record) for kind, record in records), "utf-8")
        draft.replace(self._path)
        self._file = FileIO(self._path, "ab")

    def append(self, kind: str, record_json: str) -> None:
        """Write one change."""
        if self._file is not None:
            self._file.write(_line(kind, record_json).encode())

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(kind: str, record_json: str) -> str:
    return f'{{"kind":{json.dumps(kind)},"record":{record_json}}}\n'


def _changes(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            change = json.loads(line)
            yield change["kind"], change["record"]
        except (ValueError, KeyError, TypeError):
            raise StateUnreadable(path, number) from None
