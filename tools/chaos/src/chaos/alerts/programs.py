"""Prometheus, Alertmanager and `bitloot verify` beside a stack, with our own files shortened."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from stack.errors import StackError
from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.parts.programs import find_program
from stack.plan import SERVICES
from stack.ports import LOOPBACK, free_port
from stack.processes import Command, ProcessFolder, run_to_end
from stack.stack_env import stack_env_file, write_stack_env
from stack.whole_stack import RunningStack

from chaos.alerts.shorten import FACTOR, seconds, shorten

SCRAPE_S: Final = 5
OBSERVABILITY: Final = Path(__file__).parents[5] / "deploy/observability"
_READY_S: Final = 30.0
_VERIFY: Final = ("verify", "--every", "5", "--pause", "4")


class ProgramMissing(StackError):
    """Prometheus or Alertmanager is not on this machine; the text says how it gets there."""


def prometheus_program() -> Path:
    """Debian's package or any other.

    Raises:
        ProgramMissing: it is not installed.
    """
    return _program(("prometheus",), "prometheus")


def alertmanager_program() -> Path:
    """Debian calls it `prometheus-alertmanager`.

    Raises:
        ProgramMissing: it is not installed.
    """
    return _program(("alertmanager", "prometheus-alertmanager"), "prometheus-alertmanager")


def _program(names: tuple[str, ...], package: str) -> Path:
    found = next((path for name in names if (path := find_program(name))), None)
    if found is None:
        raise ProgramMissing(f"no {names[0]} on this machine: Debian: apt-get install {package}")
    return found


@dataclass(frozen=True)
class Receivers:
    """Where alerts go: an SMTP server without TLS, and two addresses that take calls."""

    smtp_port: int
    mail_to: str
    webhook_url: str
    watchdog_url: str

    def settings(self) -> dict[str, str]:
        """As `deploy/observability/alertmanager.py` wants them."""
        return {
            "ALERT_MAIL_TO": self.mail_to,
            "ALERT_MAIL_FROM": "alerts@bitloot.test",
            "ALERT_SMTP": f"{LOOPBACK}:{self.smtp_port}",
            "ALERT_SMTP_TLS": "false",
            "ALERT_WEBHOOK_URL": self.webhook_url,
            "ALERT_WATCHDOG_URL": self.watchdog_url,
        }


class Programs:
    """The three processes; `prometheus_url` and `alertmanager_url` answer after `start`."""

    def __init__(self, stack: RunningStack, receivers: Receivers) -> None:
        self._stack = stack
        self._receivers = receivers
        self._processes = ProcessFolder(stack.folder)
        self._folder = stack.folder / "alerts"
        self._ports = {name: free_port() for name in ("prometheus", "alertmanager", "verify")}
        self.prometheus_url = f"http://{LOOPBACK}:{self._ports['prometheus']}"
        self.alertmanager_url = f"http://{LOOPBACK}:{self._ports['alertmanager']}"

    def start(self) -> None:
        """Start all three and wait until they answer.

        Raises:
            StackError: one is not here, or does not start.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "rules").mkdir(parents=True)
        write_stack_env(self._folder, self._stack.variables)
        self._start_verify()
        self._start_alertmanager()
        self._start_prometheus()

    def stop(self) -> None:
        """End them."""
        for name in self._ports:
            self._processes.stop(name)

    def _start_verify(self) -> None:
        command = [sys.executable, "-m", "bitloot_cli", *_VERIFY]
        command += ["--env-file", str(stack_env_file(self._folder))]
        command += ["--metrics-port", str(self._ports["verify"])]
        self._run("verify", command, "/metrics")

    def _start_alertmanager(self) -> None:
        file = self._folder / "alertmanager.yml"
        _write(file, shorten(yaml.safe_load(alertmanager_text(self._receivers.settings()))))
        command = [str(alertmanager_program()), f"--config.file={file}"]
        command += [f"--storage.path={self._folder / 'alertmanager'}", "--cluster.listen-address="]
        command += [f"--web.listen-address={LOOPBACK}:{self._ports['alertmanager']}"]
        self._run("alertmanager", command, "/-/ready")

    def _start_prometheus(self) -> None:
        for rules in (OBSERVABILITY / "rules").glob("*.yml"):
            _write(self._folder / "rules" / rules.name, shorten(yaml.safe_load(rules.read_text())))
        file = self._folder / "prometheus.yml"
        _write(file, self._prometheus())
        command = [str(prometheus_program()), f"--config.file={file}"]
        command += [f"--storage.tsdb.path={self._folder / 'prometheus'}"]
        command += [f"--web.listen-address={LOOPBACK}:{self._ports['prometheus']}"]
        self._run("prometheus", command, "/-/ready")

    def _prometheus(self) -> dict[str, Any]:
        ports = {name: self._stack.plan.port_by_name[name] for name in SERVICES}
        targets = {**ports, "verify": self._ports["verify"]}
        return {
            "global": {
                "scrape_interval": f"{SCRAPE_S}s",
                "scrape_timeout": f"{SCRAPE_S}s",
                "evaluation_interval": "1s",
            },
            "rule_files": [str(self._folder / "rules/*.yml")],
            "alerting": {"alertmanagers": [_targets(self._ports["alertmanager"])]},
            "scrape_configs": [
                {
                    "job_name": "bitloot",
                    "static_configs": [
                        _target(port, service=name) for name, port in targets.items()
                    ],
                }
            ],
        }

    def _run(self, name: str, command: list[str], path: str) -> None:
        port = self._ports[name]
        wait_until_ready(
            name,
            self._processes.start(Command(name, command, dict(os.environ))),
            self._processes,
            is_ready=lambda: http_answers(f"http://{LOOPBACK}:{port}{path}"),
            deadline_s=_READY_S,
        )


def repeat_intervals_s() -> dict[str, float]:
    """After how many seconds each receiver is told the same again, shortened."""
    route = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text())["route"]
    routes = [route, *({**route, **child} for child in route["routes"])]
    return {it["receiver"]: seconds(it["repeat_interval"]) / FACTOR for it in routes}


def alertmanager_text(settings: Mapping[str, str]) -> str:
    """alertmanager.yml with these settings, as an operator's renderer writes it.

    Raises:
        StackError: the renderer refused them.
    """
    script, template = OBSERVABILITY / "alertmanager.py", OBSERVABILITY / "alertmanager.yml"
    ended = run_to_end([sys.executable, str(script), str(template)], environment=settings)
    if ended.returncode != 0:
        raise StackError(ended.stderr.strip())
    return ended.stdout


def _targets(port: int) -> dict[str, Any]:
    return {"static_configs": [_target(port)]}


def _target(port: int, **labels: str) -> dict[str, Any]:
    return {"targets": [f"{LOOPBACK}:{port}"], "labels": labels}


def _write(file: Path, content: Any) -> None:
    # JSON is YAML, without anchors and line folding.
    file.write_text(json.dumps(content, indent=1))
