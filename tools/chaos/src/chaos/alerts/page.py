"""What came of it, for people: a table on the terminal, and docs/evidence-alerts.md."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.table import Table

from chaos.alerts.catalogue import ALWAYS, FAULTS, NOT_MADE
from chaos.alerts.shorten import FACTOR, LEAST_AGE_S
from chaos.alerts.watch import Story


@dataclass
class Findings:
    """One run; `told` and `mailed` count notifications by alert."""

    stories: Mapping[str, Story]
    before: frozenset[str] = frozenset()
    told: Mapping[str, int] = field(default_factory=dict)
    mailed: Mapping[str, int] = field(default_factory=dict)
    inhibited: frozenset[str] = frozenset()
    repetitions: list[str] = field(default_factory=list)
    life_signs: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def problems(self) -> Iterator[str]:
        """Everything that is not as it should be, one line each."""
        yield from (f"{name} fired before any fault" for name in sorted(self.before - {ALWAYS}))
        for name in FAULTS:
            story = self.stories.get(name)
            if story is None:
                yield f"{name} is no alert of the rules"
            elif story.delay_s is None:
                yield f"{name} did not fire"
            else:
                yield from self._untold(name)
        yield from (f"a lane broke: {text}" for text in self.broken)
        yield from (f"{group} was told twice" for group in self.repetitions)
        if self.life_signs < 2:  # noqa: PLR2004  one could have been an ordinary notification
            yield f"the dead-man service heard {ALWAYS} {self.life_signs} times"

    def _untold(self, name: str) -> Iterator[str]:
        ways = {"webhook": self.told, "mail": self.mailed}
        silent = [way for way, counts in ways.items() if not counts.get(name)]
        if silent and name not in self.inhibited:
            yield f"{name} reached nobody by {' and '.join(silent)}"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Alert, severity, fault, seconds until it fired, calls, mails, and how it is now."""
        for name, fault in FAULTS.items():
            story = self.stories.get(name, Story("none"))
            delay = "NEVER" if story.delay_s is None else f"{story.delay_s:.0f}"
            now = "ended" if story.ended_at else "still fires"
            now = now if story.delay_s is not None else ""
            counts = [str(of.get(name, 0)) for of in (self.told, self.mailed)]
            yield name, story.severity, fault, delay, *counts, now


COLUMNS = ("alert", "severity", "fault", "s until it fires", "calls", "mails", "at the end")


def table(findings: Findings) -> Table:
    """For the terminal."""
    shown = Table(*COLUMNS)
    for row in findings.rows():
        shown.add_row(*row)
    return shown


def render(findings: Findings) -> str:
    """The page."""
    return "\n".join((*_head(findings), *_table(findings), *_rest(findings), ""))


def _head(findings: Findings) -> Iterator[str]:
    made = sum(story.delay_s is not None for story in findings.stories.values())
    yield "# Evidence: alerts"
    yield ""
    yield "Written by `make alerts-demo`. Prometheus evaluates the rules of `deploy/observability`"
    yield "over a running stack, Alertmanager routes what fires to a webhook and an SMTP server;"
    yield f"every waiting time, window and age of both is divided by {FACTOR} (windows and ages not"
    yield f"below {LEAST_AGE_S:.0f} s) and nothing else is changed: `shorten.py` in"
    yield "`tools/chaos/src/chaos/alerts`. Each alert's own fault is made."
    yield ""
    yield f"* Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {findings.seconds:.0f} s"
    yield f"* Machine: {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield f"* {made} of {len(FAULTS)} alerts fired on their fault, and {ALWAYS} all the time"
    yield f"* Before the faults nothing else fired ({', '.join(sorted(findings.before))})"
    calls, mails = sum(findings.told.values()), sum(findings.mailed.values())
    yield f"* {calls} alerts in webhook calls, {mails} mails, {len(findings.repetitions)} repeated;"
    yield f"  {findings.life_signs} life signs at the dead-man service"
    yield from (f"* NOT AS IT SHOULD BE: {problem}" for problem in findings.problems())


def _table(findings: Findings) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    yield from (f"| {' | '.join(row)} |" for row in findings.rows())


def _rest(findings: Findings) -> Iterator[str]:
    if findings.inhibited:
        yield ""
        yield "Not told for some time or at all, since what causes them was told (the inhibition"
        yield f"rules of `alertmanager.yml`): {', '.join(sorted(findings.inhibited))}."
    yield ""
    yield "Calls and mails are those when an alert began and when it ended, and again when another"
    yield "of the same group joined it."
    if NOT_MADE:
        yield ""
        yield "## Not made here"
        yield ""
        yield from (f"* `{name}`: {why}" for name, why in NOT_MADE.items())
