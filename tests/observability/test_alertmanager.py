"""Alerts reach a person: the routes lead where they must, with any settings that make sense."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from stack.processes import run_to_end
from stack.server_fixtures import program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/observability"
MAIL = {"ALERT_MAIL_TO": "a@x.test, b@x.test", "ALERT_MAIL_FROM": "s@x.test", "ALERT_SMTP": "m:25"}
LOGIN = {"ALERT_SMTP_USERNAME": "shop", "ALERT_SMTP_PASSWORD": 'p"w: {{#'}
WEBHOOK = {"ALERT_WEBHOOK_URL": "https://hooks.test/a?b=c#d"}
WATCHDOG = {"ALERT_WATCHDOG_URL": "https://dead-man.test/x"}
WAYS = [MAIL, MAIL | LOGIN, WEBHOOK, MAIL | WEBHOOK, MAIL | LOGIN | WEBHOOK | WATCHDOG]

Render = Callable[[Mapping[str, str]], Path]


def alerts() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text()) for file in sorted((FOLDER / "rules").glob("*.yml"))]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in rules if "alert" in rule]


def script(settings: Mapping[str, str], *out: str) -> Any:
    command = [sys.executable, str(FOLDER / "alertmanager.py"), str(FOLDER / "alertmanager.yml")]
    return run_to_end([*command, *out], environment=settings)


@pytest.fixture
def render(tmp_path: Path) -> Render:
    def write(settings: Mapping[str, str]) -> Path:
        file = tmp_path / "alertmanager.yml"
        ended = script(settings, str(file))
        assert ended.returncode == 0, ended.stderr
        return file

    return write


def way_of(file: Path, **labels: str) -> str:
    """The receiver that amtool says."""
    given = [f"{name}={value}" for name, value in labels.items()]
    command = [str(program("amtool")), "config", "routes", "test", f"--config.file={file}", *given]
    ended = run_to_end(command)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("settings", WAYS)
def test_alertmanager_takes_the_file(render: Render, settings: dict[str, str]) -> None:
    file = render(settings)

    ended = run_to_end([str(program("amtool")), "check-config", str(file)])

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("settings", WAYS)
def test_both_urgencies_are_told_in_every_way_that_is_set(
    render: Render, settings: dict[str, str]
) -> None:
    receivers = {it["name"]: it for it in yaml.safe_load(render(settings).read_text())["receivers"]}

    for name in ("page", "ticket"):
        assert ("email_configs" in receivers[name]) == ("ALERT_MAIL_TO" in settings)
        assert ("webhook_configs" in receivers[name]) == ("ALERT_WEBHOOK_URL" in settings)
    assert ("webhook_configs" in receivers["watchdog"]) == ("ALERT_WATCHDOG_URL" in settings)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_alert_takes_the_way_of_its_severity(render: Render, rule: dict[str, Any]) -> None:
    way = way_of(render(WEBHOOK), alertname=rule["alert"], **rule["labels"])

    assert way == ("watchdog" if rule["alert"] == "Watchdog" else rule["labels"]["severity"])


def test_values_stay_what_they_are(render: Render) -> None:
    file = yaml.safe_load(render(MAIL | LOGIN | WEBHOOK).read_text())

    assert file["global"]["smtp_auth_password"] == LOGIN["ALERT_SMTP_PASSWORD"]
    assert file["global"]["smtp_require_tls"] is True
    assert file["receivers"][0]["email_configs"][0]["to"] == MAIL["ALERT_MAIL_TO"]
    assert file["receivers"][0]["webhook_configs"][0]["url"] == WEBHOOK["ALERT_WEBHOOK_URL"]


def test_secret_comes_from_the_file_that_is_named(render: Render, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    login = {
        "ALERT_SMTP_USERNAME": "shop",
        "ALERT_SMTP_PASSWORD_FILE": str(tmp_path / "secret"),
    }

    file = yaml.safe_load(render(MAIL | login).read_text())

    assert file["global"]["smtp_auth_password"] == "from a file"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "ALERT_MAIL_TO or ALERT_WEBHOOK_URL"),
        (WATCHDOG, "ALERT_MAIL_TO or ALERT_WEBHOOK_URL"),
        ({"ALERT_MAIL_TO": ""}, "ALERT_MAIL_TO or ALERT_WEBHOOK_URL"),
        ({"ALERT_MAIL_TO": "a@x.test"}, "ALERT_MAIL_FROM, ALERT_SMTP"),
        (MAIL | {"ALERT_SMTP_USERNAME": "shop"}, "ALERT_SMTP_PASSWORD"),
        (MAIL | {"ALERT_SMTP_TLS": "yes"}, "true or false"),
        (WEBHOOK | {"ALERT_SMTP_PASSWORD_FILE": "/nowhere"}, "/nowhere"),
    ],
)
def test_settings_that_reach_nobody_are_refused(settings: dict[str, str], says: str) -> None:
    ended = script({"PATH": os.environ["PATH"], **settings})

    assert ended.returncode == 1
    assert says in ended.stderr
    assert ended.stdout == ""


def test_urgent_ones_are_repeated_sooner_and_none_at_once(render: Render) -> None:
    route = yaml.safe_load(render(WEBHOOK).read_text())["route"]
    watchdog, page = route["routes"]

    assert (page["repeat_interval"], route["repeat_interval"]) == ("1h", "1d")
    assert watchdog["repeat_interval"] == "5m"
    assert "alertname" in route["group_by"]


def inhibitions(file: Path) -> list[tuple[str, list[str]]]:
    """Which alert silences which."""
    rules = yaml.safe_load(file.read_text())["inhibit_rules"]
    named = [(rule["source_matchers"], rule["target_matchers"]) for rule in rules]
    return [(one.split('"')[1], many.split('"')[1].split("|")) for [one], [many] in named]


def test_inhibition_names_alerts_that_exist(render: Render) -> None:
    known = {rule["alert"] for rule in alerts()}

    for source, targets in inhibitions(render(WEBHOOK)):
        assert {source, *targets} <= known
        assert source not in targets
