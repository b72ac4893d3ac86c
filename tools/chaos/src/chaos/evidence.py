"""Runs every battery within a bound of time and writes down what it found: docs/evidence.md."""

import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from stack.parts.kafka_jars import kafka_version
from stack.parts.postgres import MAJOR_VERSION

from chaos.outcome import Outcome

_FOUND: Final = Path(__file__).parents[2] / "FOUND.md"
_PACKAGES: Final = ("faststream", "aiokafka", "fastapi", "sqlalchemy", "asyncpg", "cryptography")


@dataclass(frozen=True, slots=True)
class Battery:
    """One command of `python -m chaos` with its bounds."""

    name: str
    options: tuple[str, ...]


CUTS: Final = {
    "full": (
        Battery("crash", ("--minutes", "9", "--lanes", "2")),
        Battery("faults", ("--minutes", "12", "--longest", "20", "--shuffled")),
        Battery("volume", ("--orders", "1000")),
        Battery("model", ("--lives", "60")),
        Battery("contention", ()),
    ),
    "short": (
        Battery("crash", ("--runs", "6", "--minutes", "2")),
        Battery("faults", ("--short", "--minutes", "2", "--longest", "5")),
        Battery("volume", ("--orders", "40")),
    ),
}
"""`full` stays below 40 minutes, `short` is for every change."""


def gather(cut: str, seed: int, folder: Path) -> list[Outcome]:
    """Run the batteries of a cut one after the other; one that broke has no outcome of its own."""
    outcomes = []
    for battery in CUTS[cut]:
        file = folder / f"{battery.name}.json"
        file.unlink(missing_ok=True)
        options = (*battery.options, "--seed", str(seed), "--out", str(folder))
        command = [sys.executable, "-m", "chaos", battery.name, *options]
        code = subprocess.run(command, check=False).returncode
        outcomes.append(Outcome.load(file) if file.exists() else _broken(battery, seed, code))
    return outcomes


def saved(folder: Path) -> list[Outcome]:
    """The outcomes of batteries that were run one by one."""
    return [Outcome.load(file) for file in sorted(folder.glob("*.json"))]


def _broken(battery: Battery, seed: int, code: int) -> Outcome:
    outcome = Outcome(battery.name, seed)
    outcome.violations["battery"] = [f"ended with exit code {code} before it could judge"]
    return outcome


def render(cut: str, outcomes: Sequence[Outcome]) -> str:
    """The page."""
    return "\n".join((*_head(cut), *(line for found in outcomes for line in _section(found)), ""))


def _head(cut: str) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield "# Evidence"
    yield ""
    yield "Written by `make evidence`; what it runs is described in `tools/chaos/README.md`. Every"
    yield "battery starts a stack of real parts, orders through the public interfaces, and is"
    yield "judged by the invariant checker with the simulators' own ledgers."
    yield ""
    yield f"* Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, cut: {cut}"
    yield f"* Machine: {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield f"* Apache Kafka {kafka_version()}, PostgreSQL {MAJOR_VERSION}, {versions}"
    yield ""
    yield "## Found and mended so far"
    yield ""
    yield _FOUND.read_text().strip()


def _section(found: Outcome) -> Iterator[str]:
    violations = sum(map(len, found.violations.values()))
    yield ""
    yield f"## {found.battery}"
    yield ""
    yield f"{len(found.runs)} runs, {len(found.failures)} failed, {found.orders} orders,"
    yield f"{violations} violations; seed {found.seed}, {found.seconds:.0f} s from"
    yield f"{found.started_at}."
    yield ""
    for name, value in found.figures.items():
        yield f"* {name}: {value}"
    for number, texts in found.violations.items():
        yield from (f"* VIOLATED {number}: {text}" for text in texts)
    yield ""
    yield "| run | seconds | outcome |"
    yield "|---|---|---|"
    for run in found.runs:
        outcome = " ".join((run.problem or "passed").split())  # a row of a table is one line
        yield f"| {run.name} | {run.seconds:.1f} | {outcome} |"
