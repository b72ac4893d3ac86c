"""Print the folders of the workspace members that an image holds: `members.py payments`.

That is the member of the image and what it declares to need of this workspace, directly or not.
Runs while an image is built, so the standard library only.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PREFIX = "bitloot-"
# The one image that is not called like its member.
TOOLS = ("tools", "bitloot-cli")


def main() -> None:
    """Print the folders of the image named on the command line.

    Raises:
        SystemExit: there is no such member.
    """
    image = sys.argv[1]
    members = {
        str(project(file)["name"]): file for file in sorted(Path().glob("*/*/pyproject.toml"))
    }
    wanted = TOOLS[1] if image == TOOLS[0] else PREFIX + image
    if wanted not in members:
        sys.exit(f"there is no image {image!r}")
    sys.stdout.write("".join(f"{members[name].parent}\n" for name in closure(wanted, members)))


def project(file: Path) -> dict[str, object]:
    """The table `project` of a `pyproject.toml`."""
    table: dict[str, object] = tomllib.loads(file.read_text())["project"]
    return table


def closure(name: str, members: dict[str, Path]) -> list[str]:
    """The member and all members it needs."""
    found, waiting = [name], [name]
    while waiting:
        for needed in needs(members[waiting.pop()]):
            if needed not in found:
                found.append(needed)
                waiting.append(needed)
    return found


def needs(file: Path) -> Iterator[str]:
    """The names of the members that a `pyproject.toml` depends on."""
    dependencies = project(file).get("dependencies", [])
    if not isinstance(dependencies, list):
        sys.exit(f"{file}: dependencies is not a list")
    for text in dependencies:
        name = re.split(r"[^A-Za-z0-9-]", text)[0]
        if name.startswith(PREFIX):
            yield name


if __name__ == "__main__":
    main()
