"""How the objects fit each other: names that are meant, names that exist, secrets that do not."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stack.plan import SERVICES, SERVICES_WITH_DATABASE

Manifest = dict[str, Any]

# In `small` and `dev` the operator makes them: `bitloot kubernetes-secrets`.
MADE_BY_HAND = {
    *(f"{name}-secrets" for name in SERVICES_WITH_DATABASE),
    *(f"{name}-migrate-secrets" for name in SERVICES_WITH_DATABASE),
    "create-topics-secrets",
    "verify-secrets",
    "reconcile-secrets",
    "nowpayments-simulator-secrets",
    "kinguin-simulator-secrets",
    "s3-secrets",
}
WORKLOADS = ("Deployment", "Job", "CronJob")
CERTIFICATES = {"bitloot-tls"}
# Where the shop's own people are written to is no secret; the login at the gateway is.
SECRET_NAMES = re.compile(
    r"PASSWORD|SECRET|_KEY$|_KEYS$|KEKS|PEPPER|TOKEN|DATABASE_URL|(?<!OPERATOR_)EMAIL"
)
PINNED = re.compile(r"\S+/bitloot/[a-z-]+@sha256:[0-9a-f]{64}")


def choose(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def by_name(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in choose(manifests, kind)}


def template_of(workload: Manifest) -> Manifest:
    """What the pods of a workload are made from, a CronJob's as well."""
    spec = workload["spec"]
    template: Manifest = spec.get("jobTemplate", {}).get("spec", spec)["template"]
    return template


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside with the key it stands under."""
    yield key, value
    entries = value.items() if isinstance(value, dict) else enumerate([])
    for name, entry in entries:
        yield from walk(entry, str(name))
    if isinstance(value, list):
        for entry in value:
            yield from walk(entry, key)


# --- what a service consists of ------------------------------------------------------------------


def incomplete(manifests: list[Manifest]) -> Iterator[str]:
    """What a service lacks, or what does not meet its pods."""
    for name in SERVICES:
        deployment = by_name(manifests, "Deployment")[name]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        ports = {
            port["name"]
            for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
        }
        selectors = [deployment["spec"]["selector"]["matchLabels"]]
        for kind in ("Service", "PodDisruptionBudget", "ServiceAccount", "NetworkPolicy"):
            if name not in by_name(manifests, kind):
                yield f"{name}: no {kind}"
                return
        service = by_name(manifests, "Service")[name]["spec"]
        budget = by_name(manifests, "PodDisruptionBudget")[name]["spec"]
        selectors += [service["selector"], budget["selector"]["matchLabels"]]
        if any(not selector.items() <= labels.items() for selector in selectors):
            yield f"{name}: a selector misses its pods"
        if any(port["targetPort"] not in ports for port in service["ports"]):
            yield f"{name}: a port leads nowhere"
        if budget.get("maxUnavailable") != 1 or "minAvailable" in budget:
            yield f"{name}: a drain is blocked, or ends all replicas"
        if deployment["spec"]["template"]["spec"]["serviceAccountName"] != name:
            yield f"{name}: another's account"


def test_service_has_all_its_objects(manifests: list[Manifest]) -> None:
    assert list(incomplete(manifests)) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Service", "spec.selector", {"app.kubernetes.io/name": "payment"}),
        ("Service", "spec.ports.0.targetPort", "web"),
        ("Service", "metadata.name", "pay"),
        ("PodDisruptionBudget", "spec.maxUnavailable", 2),
        ("PodDisruptionBudget", "spec.minAvailable", 1),
        ("PodDisruptionBudget", "spec.selector.matchLabels", {"app": "payments"}),
        ("Deployment", "spec.selector.matchLabels", {"app.kubernetes.io/name": "other"}),
        ("Deployment", "spec.template.spec.serviceAccountName", "default"),
        ("NetworkPolicy", "metadata.name", "pay"),
    ],
)
def test_object_that_does_not_fit_its_service_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, path: str, value: object
) -> None:
    assert list(incomplete(mutated(kind, "payments", path, value))) != []


def test_services_share_no_pods(manifests: list[Manifest]) -> None:
    pods = [
        template_of(workload)["metadata"]["labels"] for workload in choose(manifests, *WORKLOADS)
    ]

    for service in by_name(manifests, "Service").values():
        selector = service["spec"]["selector"].items()
        assert len([labels for labels in pods if selector <= labels.items()]) == 1


def test_no_account_has_a_token(manifests: list[Manifest]) -> None:
    accounts = choose(manifests, "ServiceAccount")

    assert len(accounts) >= len(SERVICES)
    assert all(account["automountServiceAccountToken"] is False for account in accounts)


def test_namespace_takes_only_restricted_pods(manifests: list[Manifest]) -> None:
    [namespace] = choose(manifests, "Namespace")

    labels = namespace["metadata"]["labels"]

    prefix = "pod-security.kubernetes.io"
    assert {labels[f"{prefix}/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert labels[f"{prefix}/enforce-version"] == "latest"


def test_everything_lies_in_the_one_namespace(manifests: list[Manifest]) -> None:
    elsewhere = [
        it["metadata"]["name"]
        for it in manifests
        if it["kind"] != "Namespace" and it["metadata"].get("namespace") != "bitloot"
    ]

    assert elsewhere == []


# --- names that must exist -----------------------------------------------------------------------


def known_secrets(manifests: list[Manifest]) -> set[str]:
    """The Secrets that somebody makes."""
    operators = {"bitloot-cluster-ca-cert"} if choose(manifests, "Kafka") else set()
    operators |= {"bitloot-postgres-ca"} if choose(manifests, "Cluster") else set()
    users = {f"kafka-{name}" for name in by_name(manifests, "KafkaUser")}
    external = set(by_name(manifests, "ExternalSecret"))
    databases = {
        f"{name}{kind}-database" for name in SERVICES_WITH_DATABASE for kind in ("", "-migrate")
    } | {"verify-database"}
    return operators | users | CERTIFICATES | (external or MADE_BY_HAND | databases)


def dangling(manifests: list[Manifest]) -> Iterator[str]:
    """References to what nobody makes."""
    config_maps = by_name(manifests, "ConfigMap")
    secrets = known_secrets(manifests)
    kinds = ("configMapRef", "configMapKeyRef", "configMap", "configMapTargetRef")
    for manifest in manifests:
        for key, value in walk(manifest):
            if not isinstance(value, dict):
                continue
            name = str(value.get("secretName", value.get("name", "")))
            if key in kinds and name not in config_maps:
                yield f"ConfigMap {name}"
            of_secret = {"secretRef", "secretKeyRef", "secret", "passwordSecret"}
            of_secret |= {
                "authPassword",
                "urlSecret",
                "certificateRefs",
                "secretTargetRef",
                "accessKeyId",
                "secretAccessKey",
            }
            if key in of_secret and name not in secrets:
                yield f"Secret {name}"


def test_every_reference_has_its_object(manifests: list[Manifest]) -> None:
    assert list(dangling(manifests)) == []


ENV_FROM = "spec.template.spec.containers.0.envFrom"


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "orders", f"{ENV_FROM}.0.configMapRef.name", "http-settings"),
        ("Deployment", "orders", f"{ENV_FROM}.+", {"secretRef": {"name": "orders-secret"}}),
        ("Deployment", "orders", "spec.template.spec.volumes.0", {"secret": {"secretName": "x"}}),
        ("Cluster", "bitloot-postgres", "spec.managed.roles.0.passwordSecret.name", "x"),
        ("TriggerAuthentication", "kafka", "spec.secretTargetRef.0.name", "kafka-keda"),
        ("Gateway", "bitloot", "spec.listeners.1.tls.certificateRefs.0.name", "x"),
        ("AlertmanagerConfig", "bitloot", "spec.receivers.0.webhookConfigs.0.urlSecret.name", "x"),
    ],
)
def test_reference_to_nothing_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, name: str, path: str, value: object
) -> None:
    assert list(dangling(mutated(kind, name, path, value))) != []


# --- secrets -------------------------------------------------------------------------------------


def exposed(manifests: list[Manifest]) -> Iterator[str]:
    """Secrets that stand in the manifests."""
    yield from (f"Secret {name}" for name in by_name(manifests, "Secret"))
    for name, config in by_name(manifests, "ConfigMap").items():
        yield from (f"{name}: {key}" for key in config.get("data", {}) if SECRET_NAMES.search(key))
    for workload in choose(manifests, *WORKLOADS):
        for _, entry in walk(workload):
            is_literal = isinstance(entry, dict) and {"name", "value"} == entry.keys()
            if is_literal and SECRET_NAMES.search(entry["name"]):
                yield f"{workload['metadata']['name']}: {entry['name']}"


def test_no_secret_stands_in_the_manifests(manifests: list[Manifest]) -> None:
    assert list(exposed(manifests)) == []


@pytest.mark.parametrize("name", ["KEKS", "LINK_SECRET", "S3_SECRET_ACCESS_KEY", "DATABASE_URL"])
def test_secret_in_an_environment_is_noticed(
    mutated: Callable[..., list[Manifest]], name: str
) -> None:
    entry = {"name": name, "value": "x"}

    changed = mutated("Deployment", "delivery", "spec.template.spec.containers.0.env.+", entry)

    assert list(exposed(changed)) == [f"delivery: {name}"]


def test_secret_in_a_config_map_is_noticed(mutated: Callable[..., list[Manifest]]) -> None:
    changed = mutated("ConfigMap", "autoscaler-login", "data.password", "x")
    changed += [{"kind": "Secret", "metadata": {"name": "s"}}]
    changed[0] |= {"kind": "ConfigMap", "data": {"SMTP_PASSWORD": "x"}}

    assert len(list(exposed(changed))) == 2


def foreign_secrets(manifests: list[Manifest]) -> Iterator[str]:
    """Workloads that are given a Secret made for another."""
    for workload in choose(manifests, *WORKLOADS):
        owner = workload["metadata"]["name"]
        own = {f"{owner}-secrets", f"kafka-{owner}", f"{owner}-database"}
        for key, value in walk(workload):
            if key in {"secretRef", "secretKeyRef"} and value["name"] not in own:
                yield f"{owner}: {value['name']}"


def test_nobody_is_given_the_secrets_of_another(manifests: list[Manifest]) -> None:
    assert list(foreign_secrets(manifests)) == []


def test_secrets_of_another_are_noticed(mutated: Callable[..., list[Manifest]]) -> None:
    reference = {"secretRef": {"name": "delivery-secrets"}}

    changed = mutated("Deployment", "orders", f"{ENV_FROM}.+", reference)

    assert list(foreign_secrets(changed)) == ["orders: delivery-secrets"]


@pytest.mark.parametrize("name", ["payments-secrets", "delivery-secrets", "verify-database"])
def test_secrets_of_another_in_what_runs_daily_are_noticed(
    mutated: Callable[..., list[Manifest]], name: str
) -> None:
    place = "spec.jobTemplate.spec.template.spec.containers.0.envFrom.+"

    changed = mutated("CronJob", "reconcile", place, {"secretRef": {"name": name}})

    assert list(foreign_secrets(changed)) == [f"reconcile: {name}"]


# --- images, migrations --------------------------------------------------------------------------


def unpinned(manifests: list[Manifest]) -> Iterator[str]:
    for workload in choose(manifests, *WORKLOADS):
        for container in template_of(workload)["spec"]["containers"]:
            if not PINNED.fullmatch(container["image"]):
                yield container["image"]


@pytest.mark.parametrize("name", ["staging", "production"])
def test_images_are_named_by_digest(overlays: dict[str, list[Manifest]], name: str) -> None:
    assert list(unpinned(overlays[name])) == []


@pytest.mark.parametrize("image", ["r.example/bitloot/orders:0.1.0", "bitloot/orders@sha256:12"])
def test_image_without_digest_is_noticed(
    mutated: Callable[..., list[Manifest]], image: str
) -> None:
    changed = mutated("Deployment", "orders", "spec.template.spec.containers.0.image", image)

    assert list(unpinned(changed)) == [image]


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_migration_runs_once_a_release_in_the_image_of_its_service(
    manifests: list[Manifest], service: str
) -> None:
    jobs = {
        name: job for name, job in by_name(manifests, "Job").items() if name.startswith(service)
    }
    deployment = by_name(manifests, "Deployment")[service]["spec"]["template"]["spec"]

    [(name, job)] = jobs.items()

    [container] = job["spec"]["template"]["spec"]["containers"]
    assert name == f"{service}-migrate"
    assert container["image"] == deployment["containers"][0]["image"]
    assert container["args"] == ["migrate"]
    assert {"secretRef": {"name": f"{service}-migrate-secrets"}} in container["envFrom"]
