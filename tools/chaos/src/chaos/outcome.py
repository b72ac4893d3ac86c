"""What a battery found: runs, violations and figures, kept as a file for the evidence."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bitloot_verify.check import Report


@dataclass(frozen=True, slots=True)
class Run:
    """One fault, and what came of it; no problem means that it passed."""

    name: str
    seconds: float
    problem: str | None = None


@dataclass
class Outcome:
    """One battery from its seed to its judgement."""

    battery: str
    seed: int
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat("T", "seconds"))
    seconds: float = 0.0
    orders: int = 0
    runs: list[Run] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> list[Run]:
        """The runs that did not pass."""
        return [run for run in self.runs if run.problem]

    @property
    def is_good(self) -> bool:
        """Whether every run passed and nothing was violated; no run at all is no success."""
        return bool(self.runs) and not self.failures and not self.violations

    def judge(self, report: Report) -> None:
        """Take over what the invariant checker found."""
        for number, found in report.findings.items():
            if found:
                texts = [str(finding) for finding in sorted(found, key=str)]
                self.violations.setdefault(str(number), []).extend(texts)
        self.figures["orders read by the checker"] = str(report.orders_read)

    def save(self, folder: Path) -> Path:
        """Write it to `<folder>/<battery>.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.battery}.json"
        file.write_text(json.dumps(asdict(self), indent=2))
        return file

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read one that was saved."""
        fields = json.loads(file.read_text())
        runs = [Run(**run) for run in fields.pop("runs")]
        return cls(**fields, runs=runs)
