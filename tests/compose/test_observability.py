"""The profile `observability`: its files are right for their programs, and every replica is seen.

The programs `promtool` and `otelcol` check the files where a machine has them. On a stack that
runs with the profile, `make compose-observability` asks Prometheus itself.
"""

import os
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from stack.compose_demo import compose_settings
from stack.plan import SERVICES
from stack.processes import run_to_end
from stack.server_fixtures import program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def targets() -> list[dict[str, Any]]:
    if os.environ.get("COMPOSE") != "running":
        pytest.skip("no compose stack asked for: make compose-up compose-observability")
    port = compose_settings().get("PROMETHEUS_PORT", "9090")
    answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets", trust_env=False)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["activeTargets"]
    return found


def replicas() -> Counter[str]:
    command = ["docker", "compose", "ps", "--format", "{{.Service}}", *SERVICES]
    return Counter(run_to_end(command, deadline_s=60).stdout.split())


def test_prometheus_takes_its_file() -> None:
    file = ROOT / "deploy/compose/prometheus.yml"

    ended = run_to_end([str(program("promtool")), "check", "config", str(file)])

    assert ended.returncode == 0, ended.stderr


def test_collector_takes_its_file() -> None:
    file = ROOT / "deploy/compose/otel-collector.yml"

    ended = run_to_end([str(program("otelcol")), "validate", f"--config={file}"])

    assert ended.returncode == 0, ended.stderr


def test_prometheus_asks_and_tells_what_the_file_runs(compose: Any) -> None:
    told = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    names = set(told["scrape_configs"][1]["dns_sd_configs"][0]["names"])
    [alertmanagers] = told["alerting"]["alertmanagers"]

    assert names == {*SERVICES, "verify"}
    assert alertmanagers["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    assert "--metrics-port 8000" in " ".join(compose["services"]["verify"]["command"])


def test_alertmanager_takes_what_the_settings_of_compose_make(compose: Any, tmp_path: Path) -> None:
    settings = compose["services"]["alertmanager-config"]["environment"]
    source, out = ROOT / "deploy/observability", tmp_path / "alertmanager.yml"
    command = [sys.executable, f"{source}/alertmanager.py", f"{source}/alertmanager.yml", f"{out}"]

    made = run_to_end(command, environment=settings)
    ended = run_to_end([str(program("amtool")), "check-config", str(out)])

    assert made.returncode == 0, made.stderr
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "on-call@bitloot.test" in out.read_text()


@pytest.mark.e2e
def test_prometheus_scrapes_every_replica(targets: list[dict[str, Any]]) -> None:
    assert {it["scrapeUrl"]: it["lastError"] for it in targets if it["health"] != "up"} == {}
    seen = Counter(it["labels"]["service"] for it in targets if it["labels"]["job"] == "bitloot")
    assert seen == replicas() | Counter({"verify": 1})
