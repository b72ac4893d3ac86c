"""What `make alerts-demo` shows: each alert has a fault, or the reason why it has none."""

import copy
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from chaos.alerts.catalogue import ALWAYS, FAULTS, NOT_MADE
from chaos.alerts.inbox import Inbox, mailed
from chaos.alerts.page import Findings, render
from chaos.alerts.programs import repeat_intervals_s
from chaos.alerts.shorten import FACTOR, shorten
from chaos.alerts.watch import Story, key
from stack.mailboxes import Mail
from stack.processes import run_to_end
from stack.server_fixtures import program

RULES = sorted((Path(__file__).parents[2] / "deploy/observability/rules").glob("*.yml"))


def parsed(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def rules(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in content["groups"] for rule in group["rules"]]


def without_numbers(node: Any) -> Any:
    """Everything but digits and the units behind them."""
    if isinstance(node, dict):
        return {name: without_numbers(value) for name, value in node.items()}
    if isinstance(node, list):
        return [without_numbers(value) for value in node]
    return re.sub(r"\d+(\.\d+)?(ms|[smhd])?", "#", node) if isinstance(node, str) else node


def test_every_alert_has_its_fault_or_a_reason() -> None:
    known = [
        key({"alertname": rule["alert"], **rule["labels"]})
        for file in RULES
        for rule in rules(parsed(file))
        if "alert" in rule
    ]

    assert set(known) == {*FAULTS, *NOT_MADE, ALWAYS}
    assert not FAULTS.keys() & NOT_MADE.keys()


@pytest.mark.parametrize("file", RULES, ids=lambda file: str(file.stem))
def test_only_times_are_shortened(file: Path) -> None:
    before = parsed(file)

    after = shorten(copy.deepcopy(before))

    assert after != before
    assert without_numbers(after) == without_numbers(before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("max(x_age_seconds{source='custom'}) > 600", f"> {600 / FACTOR:g}"),
        ("time() - max by (service) (read_timestamp_seconds) > 900", "> 75"),
        ("max(read_timestamp_seconds) > 0", "> 0"),
        ("max by (service) (event_loop_lag_seconds) > 1", "> 1"),
        ("60 * sum(rate(x_total[5m])) > 5", "[25000ms])) > 5"),
        ("sum(increase(x_total[1m])) > 0", "[20000ms])) > 0"),
        ("max(kinguin_balance_eur) < clamp_min(sum(y), 50)", "50)"),
    ],
)
def test_shares_money_and_counts_stay(before: str, after: str) -> None:
    assert shorten({"expr": before})["expr"].endswith(after)


def test_prometheus_takes_the_shortened_rules(tmp_path: Path) -> None:
    for file in RULES:
        (tmp_path / file.name).write_text(yaml.safe_dump(shorten(parsed(file))))

    files = map(str, sorted(tmp_path.iterdir()))
    ended = run_to_end([str(program("promtool")), "check", "rules", *files])

    assert ended.returncode == 0, ended.stderr


def call(*alerts: tuple[str, str], group: str = "g") -> dict[str, Any]:
    facts = [
        {"fingerprint": name, "status": status, "startsAt": "1", "labels": {"alertname": name}}
        for name, status in alerts
    ]
    return {"groupKey": group, "receiver": "page", "alerts": facts}


def test_call_that_says_nothing_new_is_a_repetition() -> None:
    inbox = Inbox({"page": 300})
    inbox.take("/alerts", call(("a", "firing")), 0)
    inbox.take("/alerts", call(("a", "firing"), ("b", "firing")), 1)
    inbox.take("/alerts", call(("a", "firing"), group="other"), 2)
    inbox.take("/alerts", call(("a", "resolved")), 3)
    inbox.take("/alerts", call(("a", "firing"), ("b", "firing")), 301)
    assert inbox.repetitions() == []

    inbox.take("/alerts", call(("b", "firing")), 302)

    assert inbox.repetitions() == ["g"]
    assert inbox.told() == {"a": 5, "b": 3}


def test_each_receiver_is_told_the_same_again_after_its_own_time() -> None:
    assert repeat_intervals_s() == {"page": 300, "ticket": 7200, "watchdog": 25}


def test_without_its_programs_the_demonstration_says_so_and_shows_nothing(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}

    ended = run_to_end([sys.executable, "-m", "chaos", "alerts"], environment=environment)

    assert ended.returncode == 3
    assert "SKIPPED, nothing was shown: no prometheus" in ended.stderr
    assert "apt-get install prometheus" in ended.stderr


def test_mail_is_about_the_alert_in_its_subject() -> None:
    subjects = ["[FIRING] page: TargetDown orders", "[RESOLVED] page: PaidOrderStuck custom"]
    mails = [Mail((), subject, "", "", "", b"") for subject in subjects]

    assert mailed(mails) == {"TargetDown": 1, "PaidOrderStuck/custom": 1}


def findings() -> Findings:
    stories = {name: Story("page", 10.0, 25.0, 40.0) for name in FAULTS}
    once = dict.fromkeys(FAULTS, 1)
    return Findings(stories, frozenset({ALWAYS}), once, dict(once), life_signs=5)


def test_run_in_which_all_goes_well_has_no_problem() -> None:
    found = findings()

    assert list(found.problems()) == []
    assert f"{len(FAULTS)} of {len(FAULTS)} alerts fired" in render(found)


def test_everything_that_goes_wrong_is_a_problem() -> None:
    found = findings()
    found.stories["TargetDown"].fired_at = None
    found.before |= {"DeadLetters"}
    found.mailed = {**found.mailed, "OutboxStuck": 0}
    found.repetitions = ["g"]
    found.life_signs = 0

    problems = list(found.problems())

    assert len(problems) == 5
    assert all(f"* NOT AS IT SHOULD BE: {problem}" in render(found) for problem in problems)
