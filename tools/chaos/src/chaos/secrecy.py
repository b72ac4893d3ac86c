"""Search everything that a stack keeps for plaintext keys, down to the files of its servers.

Beyond what `stack.secrecy` reads through the front doors (tables, topics, objects, mails,
logs): the raw data files and write-ahead log of PostgreSQL, Kafka's segments, and metrics.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from stack.plan import SERVICES
from stack.secrecy import Hoard, collect, disguises
from stack.whole_stack import RunningStack

_FOLDERS: Final = {"postgres": "data files and WAL", "kafka": "segments"}
# Kafka lays out megabytes of them in advance; they hold positions and times.
_ONLY_OFFSETS: Final = frozenset({".index", ".timeindex"})
_CHUNK: Final = 4 * 1024 * 1024
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Found:
    """Where secrets lie open, and what was searched."""

    places: tuple[str, ...]
    searched: str


async def search(stack: RunningStack, secrets: Sequence[str]) -> Found:
    """Look for each secret in each disguise, everywhere."""
    hoard = await collect(stack)
    for service in SERVICES:
        url = f"{stack[service.replace('-', '_').upper() + '_URL']}/metrics"
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
            hoard.heaps[f"metrics {service}"] = (await http.get(url)).content
    files = [file for name in _FOLDERS for file in files_below(stack.folder / name)]
    raw = await asyncio.to_thread(lambda: list(find_in_files(files, secrets)))
    kinds = sorted({place.split(" ")[0] for place in hoard.heaps})
    size = sum(file.stat().st_size for file in files if file.exists()) // 2**20
    searched = f"{', '.join(kinds)}, and {len(files)} raw files ({size} MiB)"
    return Found((*_places(hoard, secrets), *raw), searched)


def _places(hoard: Hoard, secrets: Sequence[str]) -> tuple[str, ...]:
    return tuple(hoard.find(secrets))


def files_below(folder: Path) -> list[Path]:
    """Every file of a server that can hold anything.

    Raises:
        FileNotFoundError: there is none: nothing would be searched.
    """
    files = (file for file in folder.rglob("*") if file.is_file())
    found = sorted(file for file in files if file.suffix not in _ONLY_OFFSETS)
    if not found:
        raise FileNotFoundError(folder)
    return found


def find_in_files(files: Iterable[Path], secrets: Iterable[str]) -> Iterator[str]:
    """`file: disguise` of each secret that lies open; the secrets are not repeated."""
    needles = [(name, needle) for secret in secrets for name, needle in disguises(secret)]
    longest = max((len(needle) for _, needle in needles), default=0)
    for file in files:
        for chunk in _chunks(file, overlap=longest):
            for name, needle in needles:
                if needle in chunk:
                    yield f"{file.name}: {name}"


def _chunks(file: Path, overlap: int) -> Iterator[bytes]:
    """Pieces that overlap, so that nothing hides on a border; a file that is gone has none."""
    tail = b""
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield tail + chunk
                tail = chunk[-overlap:] if overlap else b""
    except FileNotFoundError:
        return  # servers recycle their files while they run
