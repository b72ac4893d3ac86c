"""`make pin-images`: the digests of all public images, as variables in `.env`.

docker-compose.yml names each image as `${KAFKA_IMAGE:-apache/kafka:4.1.1}`. A tag can be moved
by whoever owns it, a digest cannot: `KAFKA_IMAGE=apache/kafka:4.1.1@sha256:...` from then on.
Registries are asked through buildx, nothing is pulled.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from stack.compose_env import FILE
from stack.errors import StackError
from stack.processes import run_to_end, write_atomically

COMPOSE_FILE = Path("docker-compose.yml")
_IMAGE = re.compile(r"\$\{(?P<variable>[A-Z0-9_]+_IMAGE):-(?P<reference>[^}]+)\}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DEADLINE_S = 60.0

Resolve = Callable[[str], str]


def public_images(compose_text: str) -> dict[str, str]:
    """The tag behind each variable of the compose file."""
    return {found["variable"]: found["reference"] for found in _IMAGE.finditer(compose_text)}


def pin(file: Path, images: Mapping[str, str], resolve: Resolve) -> None:
    """Write `NAME=tag@digest` for every image into `file`; other lines stay as they are.

    Raises:
        StackError: a digest is not to be had; the file is unchanged.
    """
    pinned = {name: f"{tag}@{resolve(tag)}" for name, tag in images.items()}
    kept = [
        line
        for line in (file.read_text().splitlines() if file.exists() else [])
        if line.partition("=")[0].strip() not in pinned
    ]
    lines = [*kept, *(f"{name}={reference}" for name, reference in pinned.items())]
    write_atomically(file, "".join(f"{line}\n" for line in lines), mode=0o600)


def registry_digest(reference: str) -> str:
    """The digest that a registry has for a tag now.

    Raises:
        StackError: it does not answer, or not with a digest.
    """
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"]
    try:
        answer = run_to_end([*command, reference], deadline_s=_DEADLINE_S)
    except OSError as error:
        raise StackError("docker is not installed") from error
    digest = answer.stdout.strip()
    if answer.returncode != 0 or not _DIGEST.fullmatch(digest):
        raise StackError(f"no digest of {reference}: {answer.stderr.strip() or digest}")
    return digest


def main() -> int:
    """Pin everything, say what; the exit code."""
    images = public_images(COMPOSE_FILE.read_text())
    try:
        pin(FILE, images, registry_digest)
    except StackError as error:
        sys.stderr.write(f"pin-images failed, {FILE} is unchanged: {error}\n")
        return 1
    sys.stdout.write(f"{FILE}: {len(images)} images pinned by digest\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
