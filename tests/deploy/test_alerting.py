"""Alerts of the cluster reach a person: routes, receivers, secrets, and what is scraped."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WATCHED = ("staging", "production")
Manifest = dict[str, Any]


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    [found] = [it for it in manifests if (it["kind"], it["metadata"]["name"]) == (kind, name)]
    return found


def receivers(manifests: list[Manifest]) -> dict[str, Manifest]:
    spec = one(manifests, "AlertmanagerConfig", "bitloot")["spec"]
    return {it["name"]: it for it in spec["receivers"]}


def alerts(manifests: list[Manifest]) -> Iterator[Manifest]:
    for rules in (it for it in manifests if it["kind"] == "PrometheusRule"):
        for group in rules["spec"]["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def untold(manifests: list[Manifest]) -> Iterator[str]:
    """Why somebody would not hear of an alert."""
    config = one(manifests, "AlertmanagerConfig", "bitloot")
    secrets = {it["metadata"]["name"] for it in manifests if it["kind"] == "ExternalSecret"}
    for name in ("page", "ticket"):
        ways = receivers(manifests)[name]
        mails = ways.get("emailConfigs", [])
        if not mails or any(value.startswith("from-settings") for value in texts(mails)):
            yield f"{name}: no mail"
        if any(not mail["requireTLS"] for mail in mails):
            yield f"{name}: the password goes in the clear"
        if not ways.get("webhookConfigs"):
            yield f"{name}: no webhook"
    keys = [it for ways in receivers(manifests).values() for it in ways.get("webhookConfigs", [])]
    if any(it.get("urlSecret", {}).get("name") not in secrets for it in keys):
        yield "an address that nobody knows"
    # The operator gives an AlertmanagerConfig the alerts of its namespace only.
    namespace = config["metadata"]["namespace"]
    for alert in alerts(manifests):
        if alert["labels"].get("namespace") != namespace:
            yield f"{alert['alert']}: of another namespace"


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for entry in value.values():
            yield from texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from texts(entry)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", WATCHED)
def test_both_urgencies_reach_a_person(overlays: dict[str, list[Manifest]], name: str) -> None:
    assert list(untold(overlays[name])) == []


RECEIVER = "spec.receivers.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{RECEIVER}.emailConfigs", []),
        (f"{RECEIVER}.emailConfigs.0.to", "from-settings@example.com"),
        (f"{RECEIVER}.emailConfigs.0.requireTLS", False),
        (f"{RECEIVER}.webhookConfigs", []),
        (f"{RECEIVER}.webhookConfigs.0.urlSecret.name", "other"),
        ("metadata.namespace", "monitoring"),
    ],
)
def test_alert_that_reaches_nobody_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    assert list(untold(mutated("AlertmanagerConfig", "bitloot", path, value))) != []


def test_alert_without_its_namespace_is_noticed(mutated: Callable[..., list[Manifest]]) -> None:
    path = "spec.groups.0.rules.0.labels.namespace"

    assert list(untold(mutated("PrometheusRule", "bitloot-shop", path, None))) != []


def test_times_are_those_of_the_one_file(overlays: dict[str, list[Manifest]]) -> None:
    file = yaml.safe_load((ROOT / "deploy/observability/alertmanager.yml").read_text())
    route = one(overlays["production"], "AlertmanagerConfig", "bitloot")["spec"]["route"]

    assert route["repeatInterval"] == file["route"]["repeat_interval"]
    assert [it["repeatInterval"] for it in route["routes"]] == [
        it["repeat_interval"] for it in file["route"]["routes"]
    ]


def scraped(manifests: list[Manifest]) -> set[str]:
    """The Services that Prometheus asks."""
    selector = one(manifests, "ServiceMonitor", "bitloot")["spec"]["selector"]
    [rule] = selector["matchExpressions"]
    assert rule["operator"] == "In"
    return {
        it["metadata"]["name"]
        for it in manifests
        if it["kind"] == "Service"
        and selector["matchLabels"].items() <= it["metadata"]["labels"].items()
        and it["metadata"]["labels"].get(rule["key"]) in rule["values"]
    }


def test_prometheus_asks_every_service_and_verify(overlays: dict[str, list[Manifest]]) -> None:
    services = {
        it["metadata"]["name"] for it in overlays["production"] if it["kind"] == "Deployment"
    }

    assert scraped(overlays["production"]) == services
    assert "verify" in services


@pytest.mark.parametrize("values", [["service"], ["verification"], []])
def test_service_that_is_not_asked_is_noticed(
    mutated: Callable[..., list[Manifest]], values: list[str]
) -> None:
    path = "spec.selector.matchExpressions.0.values"
    before = scraped(mutated("ServiceMonitor", "bitloot", "metadata.labels", {}))

    assert scraped(mutated("ServiceMonitor", "bitloot", path, values)) < before
