"""What Prometheus says of the alerts, second by second: when each began to fire, and when not."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from chaos.meanwhile import meanwhile

_LOOK_S: Final = 1.0


@dataclass
class Story:
    """One alert; times are seconds of the monotonic clock."""

    severity: str
    fault_at: float | None = None
    fired_at: float | None = None
    ended_at: float | None = None

    @property
    def delay_s(self) -> float | None:
        """From the fault to the alert."""
        if self.fault_at is None or self.fired_at is None:
            return None
        return self.fired_at - self.fault_at


@dataclass
class Watch:
    """Asks Prometheus and Alertmanager every second; `stories` holds what happened, by `key`."""

    prometheus_url: str
    alertmanager_url: str
    http: httpx.AsyncClient
    stories: dict[str, Story] = field(default_factory=dict)
    firing: frozenset[str] = frozenset()
    inhibited: set[str] = field(default_factory=set)
    _instances: set[tuple[str, str, str]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look in the background."""
        await self._read_rules()
        async with meanwhile(self._run()):
            yield

    def begin(self, *names: str) -> None:
        """The fault that is meant for these alerts is made now."""
        for name in names:
            self.stories[name].fault_at = time.monotonic()

    async def fires(self, names: Sequence[str], within_s: float) -> bool:
        """Whether all of these have fired since their fault, waited for at most so long."""
        end = time.monotonic() + within_s
        while not all(self.has_fired(name) for name in names):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(_LOOK_S / 2)
        return True

    def has_fired(self, name: str) -> bool:
        """Whether it has fired since its fault."""
        return self.stories[name].delay_s is not None

    async def _read_rules(self) -> None:
        for group in (await self._ask("rules"))["groups"]:
            for rule in group["rules"]:
                if rule["type"] == "alerting":
                    name = key({"alertname": rule["name"], **rule["labels"]})
                    self.stories[name] = Story(rule["labels"]["severity"])

    async def _run(self) -> None:
        while True:
            alerts = (await self._ask("alerts"))["alerts"]
            self._see(alerts)
            self.inhibited |= await self._suppressed()
            await asyncio.sleep(_LOOK_S)

    def _see(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Note what began since the last look; an alert may fire for several services."""
        now = time.monotonic()
        firing = {
            (key(it["labels"]), it["activeAt"], str(sorted(it["labels"].items())))
            for it in alerts
            if it["state"] == "firing"
        }
        for name, *_ in firing - self._instances:
            story = self.stories[name]
            if story.fault_at is not None:
                story.fired_at = story.fired_at or now
        names = frozenset(name for name, *_ in firing)
        for name in self.firing - names:
            self.stories[name].ended_at = now
        for name in names:
            self.stories[name].ended_at = None
        self._instances, self.firing = firing, names

    async def _suppressed(self) -> set[str]:
        url = f"{self.alertmanager_url}/api/v2/alerts"
        answer = await self.http.get(url, params={"active": "false", "inhibited": "true"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return {key(alert["labels"]) for alert in found}

    async def _ask(self, what: str) -> dict[str, Any]:
        answer = await self.http.get(f"{self.prometheus_url}/api/v1/{what}")
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found


def key(labels: Mapping[str, str]) -> str:
    """How an alert is called here: those of a source of keys are told apart."""
    source = labels.get("source")
    return f"{labels['alertname']}/{source}" if source else labels["alertname"]
