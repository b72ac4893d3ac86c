"""Name the images of a release in an overlay: `release.py production 0.2.0 [registry/path]`.

Reads the digests that the container engine knows of images that were pushed, and writes them into
the overlay's `release`, and the suffix of its Jobs into `jobs`: a Job cannot be changed, so each
release has its own. Overlays that name images by tag get the tag, and no engine is asked.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

OVERLAYS = Path(__file__).parent / "overlays"
BY_DIGEST = ("staging", "production")
IMAGE = re.compile(r"  - \{name: bitloot/(?P<name>[a-z-]+), newName: (?P<at>\S+?), (?P<rest>.+)\}")
SUFFIX = re.compile(r"^nameSuffix: .*$", re.MULTILINE)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}")

Digest = Callable[[str], str]


def images(text: str, tag: str, registry: str | None, digest: Digest | None) -> str:
    """The release's kustomization with other images."""

    def line(found: re.Match[str]) -> str:
        at = f"{registry}/{found['name']}" if registry else found["at"]
        what = f"digest: {digest(f'{at}:{tag}')}" if digest else f"newTag: {tag}"
        return f"  - {{name: bitloot/{found['name']}, newName: {at}, {what}}}"

    return IMAGE.sub(line, text)


def suffix(tag: str) -> str:
    """The end of the Jobs' names: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")


def pushed_digest(image: str) -> str:
    """The digest under which the registry has the image.

    Raises:
        SystemExit: the engine does not know the image, or it was never pushed.
    """
    asked = ["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', image]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  of PATH
    name = image.rpartition(":")[0]
    for known in answer.stdout.split():
        if known.startswith(f"{name}@sha256:"):
            return known.partition("@")[2]
    sys.exit(f"{image}: no digest known: build it (make images), tag it so and push it first")


def write(overlay: Path, tag: str, registry: str | None, digest: Digest | None) -> None:
    """Change both files of the overlay, or neither."""
    release, jobs = overlay / "release/kustomization.yaml", overlay / "jobs/kustomization.yaml"
    text = images(release.read_text(), tag, registry, digest)
    jobs_text = SUFFIX.sub(f"nameSuffix: -{suffix(tag)}", jobs.read_text())
    release.write_text(text)
    jobs.write_text(jobs_text)


def main(arguments: list[str]) -> None:
    """The command line.

    Raises:
        SystemExit: wrong arguments, or `pushed_digest`.
    """
    known = sorted(path.name for path in OVERLAYS.iterdir())
    is_right = len(arguments) in {2, 3} and arguments[0] in known and TAG.fullmatch(arguments[1])
    if not is_right:
        sys.exit(f"usage: release.py {{{','.join(known)}}} TAG [REGISTRY/PATH]")
    name, tag, *registry = arguments
    digest = pushed_digest if name in BY_DIGEST else None
    write(OVERLAYS / name, tag, registry[0].rstrip("/") if registry else None, digest)


if __name__ == "__main__":
    main(sys.argv[1:])
