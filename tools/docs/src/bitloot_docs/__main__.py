"""`python -m bitloot_docs write | check`: the documents in `docs/api`."""

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bitloot_docs import asyncapi, openapi
from bitloot_docs.services import applications


def main() -> None:
    """Write every document, or say which one is out of date.

    Raises:
        SystemExit: with 1 when `check` finds a difference.
    """
    parser = argparse.ArgumentParser(prog="python -m bitloot_docs", description=main.__doc__)
    parser.add_argument("command", choices=("write", "check"))
    parser.add_argument("--folder", type=Path, default=Path("docs/api"))
    options = parser.parse_args()
    if options.command == "write":
        for name, text in documents():
            _write(options.folder / name, text)
        return
    stale = outdated(options.folder)
    if stale:
        names = ", ".join(stale)
        sys.exit(f"out of date: {names} in {options.folder}\nrun: make api, and commit the result")


def documents() -> Iterator[tuple[str, str]]:
    """Name below the folder, and text, of everything that is generated."""
    messages = asyncapi.document(version("bitloot-contracts"))
    yield "asyncapi.json", _json(messages)
    yield "messages.md", asyncapi.page(messages)
    for name, app in applications():
        described = openapi.document(app)
        yield f"openapi/{name}.json", _json(described)
        yield f"{name}.md", openapi.page(name, described)


def outdated(folder: Path) -> list[str]:
    """What stands otherwise in the folder than the code says, superfluous files included."""
    fresh = dict(documents())
    there = {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return sorted(
        name for name in fresh.keys() | there.keys() if fresh.get(name) != there.get(name)
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
