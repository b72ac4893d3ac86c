"""`python -m chaos model` and `contention`: batteries that are tests, with outcomes like others.

They stay tests, so that `make test` runs them, too; here their seed is said and kept.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from xml.etree import ElementTree as ET

import typer

from chaos.outcome import Outcome, Run

_REPOSITORY: Final = Path(__file__).parents[4]
_OUT: Final = Path("dist/chaos")
_ALL_PASSED: Final = 0

Seed = Annotated[int | None, typer.Option(help="Repeats an earlier choice; random without.")]
Out = Annotated[Path, typer.Option(help="Where the outcome is written, as <battery>.json.")]


def model(
    lives: Annotated[int, typer.Option(min=1, help="Random lives of each model.")] = 100,
    seed: Seed = None,
    out: Out = _OUT,
) -> None:
    """Random lives of the services on real PostgreSQL, the invariants judged after each step."""
    _run("model", "tests/model", {"MODEL_EXAMPLES": str(lives)}, seed, out)


def contention(seed: Seed = None, out: Out = _OUT) -> None:
    """Five hundred buyers and a hundred keys: each is sold once, the rest are told plainly."""
    _run("contention", "tests/e2e/test_contention.py", {}, seed, out)


def _run(battery: str, path: str, environment: dict[str, str], seed: int | None, out: Path) -> None:
    """Run the tests below a path, and keep what came of them.

    Raises:
        typer.Exit: one of them failed, or there were none.
    """
    outcome = Outcome(battery, secrets.randbelow(2**31) if seed is None else seed)
    typer.echo(f"seed {outcome.seed}")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bitloot-tested-") as folder:
        report = Path(folder) / "report.xml"
        chosen = (f"--hypothesis-seed={outcome.seed}", f"--junit-xml={report}", path)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *chosen]
        told = os.environ | environment
        code = subprocess.run(command, cwd=_REPOSITORY, env=told, check=False).returncode
        outcome.runs.extend(runs_of(report))
    if code != _ALL_PASSED and not outcome.failures:
        outcome.runs.append(Run(path, 0.0, f"pytest ended with exit code {code}"))
    outcome.figures |= {name.lower(): value for name, value in environment.items()}
    outcome.seconds = round(time.monotonic() - begin, 1)
    typer.echo(f"written: {outcome.save(out)}")
    if not outcome.is_good:
        raise typer.Exit(1)


def runs_of(report: Path) -> Iterator[Run]:
    """One run for each test of a JUnit report; a skipped one shows nothing, so it is a failure."""
    if not report.exists():
        return
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  pytest wrote it
        bad = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
        seconds = round(float(case.get("time", "0")), 1)
        yield Run(str(case.get("name")), seconds, ", ".join(bad) or None)
