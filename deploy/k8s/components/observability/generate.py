"""Wrap what is in deploy/observability for Kubernetes: `generate.py [--check]`.

`rules/*.yml` become one PrometheusRule a file; `dashboards/*.json` one ConfigMap each, with the
label that Grafana's sidecar looks for; `alertmanager.yml` an AlertmanagerConfig with its secrets in
the Secret `alerting-secrets`. kustomize reads neither globs nor folders above its own.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "observability"
OUT = HERE / "generated"
NAMESPACE = "bitloot"
MATCHER = re.compile(r'(?P<name>\w+)(?P<kind>=~|!~|!=|=)"(?P<value>.*)"')
NOTE = "# Written by ../generate.py (`make manifests`) from deploy/observability.\n"


def wanted(sources: Path = SOURCES) -> dict[str, str]:
    """The text of every file by its name."""
    files = dict(rules(sources)) | dict(dashboards(sources)) | dict(routes(sources))
    resources = "".join(f"  - {name}\n" for name in sorted(files))
    kustomization = (
        f"{NOTE}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources:{chr(10) + resources if resources else ' []' + chr(10)}"
    )
    return files | {"kustomization.yaml": kustomization}


def rules(sources: Path) -> Iterator[tuple[str, str]]:
    """One PrometheusRule a file."""
    for file in sorted((sources / "rules").glob("*.yml")):
        manifest = {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"bitloot-{file.stem}"},
            "spec": {"groups": in_namespace(yaml.safe_load(file.read_text())["groups"])},
        }
        yield f"rules-{file.stem}.yaml", NOTE + yaml.safe_dump(manifest, sort_keys=False, width=100)


def in_namespace(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operator gives an AlertmanagerConfig the alerts of its own namespace only."""
    for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
        rule["labels"] = rule["labels"] | {"namespace": NAMESPACE}
    return groups


def routes(sources: Path) -> Iterator[tuple[str, str]]:
    """The routes, where there are any."""
    file = sources / "alertmanager.yml"
    if not file.exists():
        return
    config = yaml.safe_load(file.read_text())
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": {"name": "bitloot", "labels": {"alertmanagerConfig": "bitloot"}},
        "spec": {
            "route": route(config["route"]),
            "inhibitRules": [inhibition(rule) for rule in config["inhibit_rules"]],
            "receivers": [receiver(it) for it in config["receivers"]],
        },
    }
    yield "alerting.yaml", NOTE + yaml.safe_dump(manifest, sort_keys=False, width=100)


def route(found: dict[str, Any]) -> dict[str, Any]:
    """A route and those below it."""
    renamed = {camel(key): value for key, value in found.items()}
    if "matchers" in found:
        renamed["matchers"] = [matcher(text) for text in found["matchers"]]
    if "routes" in found:
        renamed["routes"] = [route(child) for child in found["routes"]]
    return renamed


def inhibition(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule about what is not told."""
    sides = {
        f"{side}Match": [matcher(text) for text in rule[f"{side}_matchers"]]
        for side in ("source", "target")
    }
    return sides | ({"equal": rule["equal"]} if "equal" in rule else {})


def matcher(text: str) -> dict[str, str]:
    """`name="value"` in the operator's form."""
    found = MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"a matcher that is not understood: {text}")
    fields = {"name": found["name"], "value": found["value"]}
    # Left out where it is the default: a bare `=` is what PyYAML cannot read back.
    return fields if found["kind"] == "=" else fields | {"matchType": found["kind"]}


def receiver(found: dict[str, Any]) -> dict[str, Any]:
    """Mail by the settings that the overlay puts in, calls by a secret address."""
    made: dict[str, Any] = {"name": found["name"]}
    if "email_configs" in found:
        made["emailConfigs"] = [mail(it) for it in found["email_configs"]]
    made["webhookConfigs"] = [call(it) for it in found["webhook_configs"]]
    return made


def mail(found: dict[str, Any]) -> dict[str, Any]:
    """One kind of mail; what stands in `alert-settings` is put in by kustomize."""
    return {
        "to": "from-settings@example.com",
        "from": "from-settings@example.com",
        "smarthost": "from-settings.example.com:587",
        "authUsername": "from-settings",
        "authPassword": {"name": "alerting-secrets", "key": "ALERT_SMTP_PASSWORD"},
        "requireTLS": True,
        "sendResolved": found["send_resolved"],
        "headers": [{"key": key, "value": text} for key, text in found["headers"].items()],
        "html": found["html"],
        "text": found["text"],
    }


def call(found: dict[str, Any]) -> dict[str, Any]:
    """One webhook."""
    return {
        "urlSecret": {"name": "alerting-secrets", "key": found["url"].strip("${}")},
        "sendResolved": found["send_resolved"],
    }


def camel(name: str) -> str:
    """`group_by` as Kubernetes spells it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def dashboards(sources: Path) -> Iterator[tuple[str, str]]:
    """One ConfigMap a dashboard: together they could pass the 1 MiB that one may have."""
    for file in sorted((sources / "dashboards").glob("*.json")):
        text = json.dumps(json.loads(file.read_text()), indent=1) + "\n"
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"bitloot-dashboard-{file.stem}",
                "labels": {"grafana_dashboard": "1"},
            },
            "data": {file.name: text},
        }
        yield f"dashboard-{file.stem}.yaml", NOTE + yaml.safe_dump(manifest, sort_keys=False)


def stale(files: dict[str, str], out: Path = OUT) -> list[str]:
    """The files that are not as they should be."""
    there = {file.name: file.read_text() for file in out.glob("*.yaml")}
    names = sorted(there.keys() | files.keys())
    return [name for name in names if there.get(name) != files.get(name)]


def write(files: dict[str, str], out: Path = OUT) -> None:
    """Make the folder what it should be."""
    out.mkdir(exist_ok=True)
    for name in stale(files, out):
        if name in files:
            (out / name).write_text(files[name])
        else:
            (out / name).unlink()


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write(wanted())
    elif changed := stale(wanted()):
        sys.exit(f"{', '.join(changed)}: not as deploy/observability says; run `make manifests`")
