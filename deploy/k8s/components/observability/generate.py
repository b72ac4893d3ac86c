"""Wrap rules and dashboards of deploy/observability for Kubernetes: `generate.py [--check]`.

`rules/*.yml` become one PrometheusRule a file; `dashboards/*.json` one ConfigMap each, with the
label that Grafana's sidecar looks for. kustomize reads neither globs nor folders above its own.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "observability"
OUT = HERE / "generated"
NOTE = "# Written by ../generate.py (`make manifests`) from deploy/observability.\n"


def wanted(sources: Path = SOURCES) -> dict[str, str]:
    """The text of every file by its name."""
    files = dict(rules(sources)) | dict(dashboards(sources))
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
            "spec": {"groups": yaml.safe_load(file.read_text())["groups"]},
        }
        yield f"rules-{file.stem}.yaml", NOTE + yaml.safe_dump(manifest, sort_keys=False, width=100)


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
