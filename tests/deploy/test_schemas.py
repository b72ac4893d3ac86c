"""Every manifest fits the schema of its kind, and a field that nobody knows is an error."""

import copy
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

CRDS = Path(__file__).parent / "crds"
# The oldest that has what the manifests use (preStop sleep without a gate is 1.30), and the newest.
KUBERNETES_VERSIONS = ("1.32", "1.37")
CUSTOM_GROUPS = {
    "barmancloud.cnpg.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "kafka.strimzi.io",
    "keda.sh",
    "monitoring.coreos.com",
    "postgresql.cnpg.io",
}

Manifest = dict[str, Any]


def problems(manifest: Manifest, version: str) -> list[str]:
    """What the schema of the manifest's kind refuses."""
    return _problems(json.dumps(manifest), version)


@functools.cache  # overlays share most manifests, and a validator takes 0.1 s to load its schemas
def _problems(text: str, version: str) -> list[str]:
    manifest = json.loads(text)
    group = manifest["apiVersion"].rpartition("/")[0]
    if group in CUSTOM_GROUPS:
        return list(problems_of_custom(manifest))
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"]
    return []


def problems_of_custom(manifest: Manifest) -> Iterator[str]:
    name = f"{manifest['apiVersion'].replace('/', '_')}_{manifest['kind']}.json"
    if not (CRDS / name).is_file():
        yield f"no schema {name}: tests/deploy/crds/README.md says how to add it"
        return
    schema = strict(json.loads((CRDS / name).read_text()))
    # The API server adds these to every kind.
    schema["properties"] |= {"metadata": True, "apiVersion": True, "kind": True}
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(manifest):
        yield f"{manifest['metadata']['name']}: {error.json_path} {error.message}"


def strict(schema: Any) -> Any:
    """As the API server prunes: what a schema does not list is not there."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    lists_fields = isinstance(closed.get("properties"), dict) and closed.get("type") == "object"
    if lists_fields and not closed.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if closed.get("x-kubernetes-int-or-string"):
        closed.pop("anyOf", None)
        closed["type"] = ["integer", "string"]
    return closed


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_every_manifest_fits_the_schema_of_its_kind(
    manifests: list[Manifest], version: str
) -> None:
    assert [found for manifest in manifests for found in problems(manifest, version)] == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "orders", "spec.template.spec.containers.0.livenessprobe", {}),
        ("Deployment", "orders", "spec.replicas", "two"),
        ("Service", "orders", "spec.port", 8000),
        ("Job", "orders-migrate", "spec.template.spec.restartPolice", "Never"),
        ("NetworkPolicy", "orders", "spec.egress.0.ports.0.protocl", "TCP"),
        ("PodDisruptionBudget", "orders", "spec.maxUnavailable", []),
        ("ConfigMap", "autoscaler-login", "data.username", 7),
        ("KafkaTopic", "key.ready", "spec.partition", 12),
        ("KafkaTopic", "key.ready", "spec.partitions", "12"),
        ("KafkaUser", "orders", "spec.authorization.acls.0.operation", "Read"),
        ("Kafka", "bitloot", "spec.kafka.listeners.0.port", "9093"),
        ("KafkaNodePool", "broker", "spec.roles", ["leader"]),
        ("Cluster", "bitloot-postgres", "spec.backup", {"barmanObjectStore": {"path": "s3://x"}}),
        ("Cluster", "bitloot-postgres", "spec.managed.roles.0.loginn", True),
        ("Database", "orders", "spec.owner", None),
        ("ObjectStore", "bitloot-postgres", "spec.configuration.destinationPath", None),
        ("ScheduledBackup", "nightly", "spec.method", "tape"),
        ("ScaledObject", "orders", "spec.triggers.0.type", None),
        ("TriggerAuthentication", "kafka", "spec.secretTargetRef.0.parameter", None),
        ("ExternalSecret", "orders-secrets", "spec.data.0.remoteRef.key", None),
        ("ExternalSecret", "orders-secrets", "spec.target.creationPolicy", "Sometimes"),
        ("Gateway", "bitloot", "spec.listeners.0.port", 0),
        ("HTTPRoute", "orders", "spec.rules.0.matches.0.path.type", "Glob"),
        ("ServiceMonitor", "bitloot", "spec.endpoints.0.intervall", "15s"),
        ("AlertmanagerConfig", "bitloot", "spec.receivers.0.emailConfigs.0.smartHost", "a:25"),
        ("AlertmanagerConfig", "bitloot", "spec.inhibitRules.0.targetMatch.0.matchType", "~"),
        ("CronJob", "reconcile", "spec.jobTemplate.spec.template.spec.restartPolice", "Never"),
    ],
)
def test_field_that_does_not_fit_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, name: str, path: str, value: object
) -> None:
    changed = mutated(kind, name, path, value)

    [manifest] = [it for it in changed if (it["kind"], it["metadata"]["name"]) == (kind, name)]
    assert problems(manifest, KUBERNETES_VERSIONS[-1]) != []


def test_custom_kind_without_a_schema_is_noticed(overlays: dict[str, list[Manifest]]) -> None:
    topic = next(it for it in overlays["production"] if it["kind"] == "KafkaTopic")
    older = copy.deepcopy(topic) | {"apiVersion": "kafka.strimzi.io/v1beta2"}

    assert "no schema" in problems(older, KUBERNETES_VERSIONS[-1])[0]
