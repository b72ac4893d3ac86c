"""The profile `observability`: its files are right for their programs, and every replica is seen.

The programs `promtool` and `otelcol` check the files where a machine has them. On a stack that
runs with the profile, `make compose-observability` asks Prometheus itself.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
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


@pytest.mark.e2e
def test_prometheus_scrapes_every_replica(targets: list[dict[str, Any]]) -> None:
    assert {it["scrapeUrl"]: it["lastError"] for it in targets if it["health"] != "up"} == {}
    seen = Counter(it["labels"]["service"] for it in targets if it["labels"]["job"] == "bitloot")
    assert seen == replicas()
