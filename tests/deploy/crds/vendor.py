"""Keep of upstream CRDs what the checks need: `vendor.py out/ crd.yaml ...`.

One JSON file a kind: the schema of the version that the manifests use, without descriptions.
README.md beside it says where the CRDs came from.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

VERSION_BY_KIND = {
    "AlertmanagerConfig": "v1alpha1",
    "Cluster": "v1",
    "Database": "v1",
    "ExternalSecret": "v1",
    "Gateway": "v1",
    "HTTPRoute": "v1",
    "Kafka": "v1",
    "KafkaNodePool": "v1",
    "KafkaTopic": "v1",
    "KafkaUser": "v1",
    "ObjectStore": "v1",
    "PrometheusRule": "v1",
    "ScaledObject": "v1alpha1",
    "ScheduledBackup": "v1",
    "ServiceMonitor": "v1",
    "TriggerAuthentication": "v1alpha1",
}
# A property may be called like these words too; then its value is a schema, not a text.
PROSE = {"description": str, "example": object, "externalDocs": dict}


def main(out: Path, files: list[Path]) -> None:
    """Write the schema of every wanted kind that the files define."""
    for file in files:
        for crd in yaml.safe_load_all(file.read_text()):
            kind = crd["spec"]["names"]["kind"] if crd else None
            if kind in VERSION_BY_KIND:
                write(out, crd, VERSION_BY_KIND[kind])


def write(out: Path, crd: dict[str, Any], name: str) -> None:
    """One file, on as few lines as possible: nobody reads it."""
    group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
    [version] = [entry for entry in crd["spec"]["versions"] if entry["name"] == name]
    schema = without_prose(version["schema"]["openAPIV3Schema"])
    text = json.dumps(schema, separators=(",", ":"), sort_keys=True)
    (out / f"{group}_{name}_{kind}.json").write_text(text + "\n")


def without_prose(schema: Any) -> Any:
    """The schema with nothing in it that only a person reads."""
    if isinstance(schema, list):
        return [without_prose(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_prose(value)
        for key, value in schema.items()
        if not (key in PROSE and isinstance(value, PROSE[key]) and not is_schema(value))
    }


def is_schema(value: object) -> bool:
    """Whether this stands under a property's name, and not under a word of the schema."""
    return isinstance(value, dict) and (
        "type" in value or "x-kubernetes-preserve-unknown-fields" in value
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
