"""Who may talk to whom: everything is denied, and each pod is given exactly what it needs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stack.plan import SERVICES, SERVICES_WITH_DATABASE

Manifest = dict[str, Any]

PRIVATE = {
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
}
WORKLOADS = {"Deployment", "Job", "CronJob"}
DNS = {"kube-dns:53/UDP", "kube-dns:53/TCP"}
OPERATED = {"postgres:5432/TCP", "kafka:9093/TCP"}
EXISTING = OPERATED | {"anywhere:5432/TCP", "anywhere:9092/TCP"}
JWKS = {"orders:http/TCP"}
HTTPS = {"internet:443/TCP"}
OWN = {
    "payments": JWKS | HTTPS,
    "orders": set[str](),
    "fulfillment-custom": JWKS,
    "fulfillment-kinguin": JWKS | HTTPS,
    "delivery": JWKS | HTTPS | {"internet:465/TCP", "internet:587/TCP"},
    "storefront": set[str](),
}
"""What a service may reach besides DNS, its database, Kafka and the collector."""
STAND_INS = {"payments", "fulfillment-kinguin", "delivery"}
TRACES = {"role monitoring:4318/TCP"}


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector chooses these labels."""
    exact = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in exact.items()):
        return False
    for rule in selector.get("matchExpressions", []):
        is_in = labels.get(rule["key"]) in rule["values"]
        if is_in != (rule["operator"] == "In"):
            return False
    return True


def labels_of(manifests: list[Manifest], name: str) -> dict[str, str]:
    [workload] = [
        it for it in manifests if it["kind"] in WORKLOADS and it["metadata"]["name"] == name
    ]
    return pod_labels(workload)


def pod_labels(workload: Manifest) -> dict[str, str]:
    """The labels of a workload's pods, a CronJob's as well."""
    spec = workload["spec"]
    template = spec.get("jobTemplate", {}).get("spec", spec)["template"]
    labels: dict[str, str] = template["metadata"]["labels"]
    return labels


def policies_for(
    manifests: list[Manifest], labels: dict[str, str], direction: str
) -> list[Manifest]:
    return [
        it["spec"]
        for it in manifests
        if it["kind"] == "NetworkPolicy"
        and direction in it["spec"]["policyTypes"]
        and matches(it["spec"]["podSelector"], labels)
    ]


def allowed(manifests: list[Manifest], labels: dict[str, str], direction: str) -> set[str]:
    """`peer:port/protocol` of everything that pods with these labels may reach or be reached by."""
    side = "to" if direction == "Egress" else "from"
    return {
        f"{peer}:{port}"
        for policy in policies_for(manifests, labels, direction)
        for rule in policy.get(direction.lower()) or []
        for port in ports_of(rule)
        for entry in rule.get(side, [{}])
        for peer in peers_of(entry)
    }


def ports_of(rule: Manifest) -> Iterator[str]:
    for port in rule.get("ports", [{"port": "every"}]):
        yield f"{port['port']}/{port.get('protocol', 'TCP')}"


def peers_of(entry: Manifest) -> Iterator[str]:
    if "ipBlock" in entry:
        block = entry["ipBlock"]
        is_public = set(block.get("except", [])) <= PRIVATE and block.get("except")
        yield "internet" if is_public else "anywhere"
        return
    if not entry:
        yield "anywhere"
        return
    namespace = entry.get("namespaceSelector", {}).get("matchLabels", {})
    if role := namespace.get("bitloot/role"):
        yield f"role {role}"
        return
    if namespace and "podSelector" not in entry:
        yield f"namespace {namespace['kubernetes.io/metadata.name']}"
        return
    yield from named(entry.get("podSelector", {}))


def named(selector: Manifest) -> Iterator[str]:
    labels = selector.get("matchLabels", {})
    for key in ("app.kubernetes.io/name", "bitloot/part", "k8s-app"):
        if key in labels:
            yield labels[key]
    if component := labels.get("app.kubernetes.io/component"):
        yield f"every {component}"
    for rule in selector.get("matchExpressions", []):
        yield from rule["values"]
    if not selector:
        yield "every pod"


def expected(overlay: str, service: str) -> set[str]:
    reached = DNS | OWN[service]
    if service in SERVICES_WITH_DATABASE:
        reached |= EXISTING if overlay == "small" else OPERATED
    if overlay in {"staging", "production"}:
        reached |= TRACES
    if overlay == "dev" and service in STAND_INS:
        reached |= {"every stand-in:every/TCP"}
    return reached


@pytest.mark.parametrize("service", SERVICES)
def test_service_reaches_what_it_needs_and_nothing_else(
    manifests: list[Manifest], overlay: str, service: str
) -> None:
    labels = labels_of(manifests, service)

    assert allowed(manifests, labels, "Egress") == expected(overlay, service)


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_reached_by_the_gateway_and_its_peers_alone(
    overlays: dict[str, list[Manifest]], service: str
) -> None:
    production = overlays["production"]
    peers = set(SERVICES_WITH_DATABASE) - {"orders"} if service == "orders" else set()

    reached_by = allowed(production, labels_of(production, service), "Ingress")

    assert reached_by == {
        "role gateway:http/TCP",
        "role monitoring:http/TCP",
        *(f"{peer}:http/TCP" for peer in peers),
    }


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_migration_reaches_its_database_and_is_reached_by_nobody(
    overlays: dict[str, list[Manifest]], service: str
) -> None:
    production = overlays["production"]
    labels = labels_of(production, f"{service}-migrate")

    assert allowed(production, labels, "Egress") == DNS | {"postgres:5432/TCP"}
    assert allowed(production, labels, "Ingress") == set()


def of_verification(overlay: str) -> set[str]:
    """What `verify` and `reconcile` may reach: every database, and what lies outside."""
    reached = DNS | HTTPS | {"postgres:5432/TCP"}
    if overlay == "small":
        reached |= {"anywhere:5432/TCP"}
    if overlay == "dev":
        reached |= {"every stand-in:every/TCP"}
    return reached


@pytest.mark.parametrize("name", ["verify", "reconcile"])
def test_verification_reaches_the_databases_and_the_outside(
    manifests: list[Manifest], overlay: str, name: str
) -> None:
    assert allowed(manifests, labels_of(manifests, name), "Egress") == of_verification(overlay)


def test_verification_is_reached_by_prometheus_alone(overlays: dict[str, list[Manifest]]) -> None:
    production = overlays["production"]
    reached_by = {
        name: allowed(production, labels_of(production, name), "Ingress")
        for name in ("verify", "reconcile")
    }

    assert reached_by == {"verify": {"role monitoring:http/TCP"}, "reconcile": set()}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.egress.+", {"ports": [{"port": 9093}]}),
        ("spec.egress.1.to.0.ipBlock.except", None),
        ("spec.egress.0.to.0.podSelector", {}),
        ("spec.podSelector", {}),
    ],
)
def test_other_way_of_verification_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    changed = mutated("NetworkPolicy", "verification", path, value)

    reached = {
        name: allowed(changed, labels_of(changed, name), "Egress")
        for name in ("verify", "storefront")
    }
    wanted = {
        "verify": of_verification("production"),
        "storefront": expected("production", "storefront"),
    }
    assert reached != wanted


def undenied(manifests: list[Manifest]) -> Iterator[str]:
    """Workloads that no policy of either direction covers."""
    for workload in manifests:
        if workload["kind"] not in WORKLOADS:
            continue
        labels = pod_labels(workload)
        for direction in ("Ingress", "Egress"):
            if not any(
                policy["podSelector"] == {} and not policy.get(direction.lower())
                for policy in policies_for(manifests, labels, direction)
            ):
                yield f"{workload['metadata']['name']} {direction}"


def test_everything_is_denied_first(manifests: list[Manifest]) -> None:
    assert list(undenied(manifests)) == []


@pytest.mark.parametrize("types", [["Ingress"], ["Egress"]])
def test_missing_denial_is_noticed(mutated: Callable[..., Any], types: list[str]) -> None:
    changed = mutated("NetworkPolicy", "default-deny", "spec.policyTypes", types)

    assert list(undenied(changed)) != []


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("orders", "spec.egress.+", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
        ("orders", "spec.egress.+", {"ports": [{"port": 443}]}),
        ("payments", "spec.egress.3.to.0.ipBlock.except", None),
        ("payments", "spec.egress.3.ports.+", {"port": 22}),
        ("delivery", "spec.egress.3.ports", None),
        ("storefront", "spec.egress.+", {"to": [{"podSelector": {}}]}),
        ("fulfillment-custom", "spec.egress.0.ports.0.port", 5433),
        ("fulfillment-custom", "spec.egress.1.to.0.podSelector", {}),
        ("fulfillment-kinguin", "spec.egress.2", None),
    ],
)
def test_other_way_out_is_noticed(
    mutated: Callable[..., list[Manifest]], name: str, path: str, value: object
) -> None:
    changed = mutated("NetworkPolicy", name, path, value)

    assert allowed(changed, labels_of(changed, name), "Egress") != expected("production", name)


@pytest.mark.parametrize(
    "rule", [{}, {"from": [{"podSelector": {}}]}, {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]
)
def test_other_way_in_is_noticed(
    mutated: Callable[..., list[Manifest]], rule: dict[str, Any]
) -> None:
    before = mutated("NetworkPolicy", "delivery", "metadata.labels.x", "y")
    known = allowed(before, labels_of(before, "delivery"), "Ingress")

    changed = mutated("NetworkPolicy", "delivery", "spec.ingress.+", rule)

    assert allowed(changed, labels_of(changed, "delivery"), "Ingress") != known


def test_only_the_services_and_the_autoscaler_reach_the_brokers(
    overlays: dict[str, list[Manifest]],
) -> None:
    [kafka] = [it for it in overlays["production"] if it["kind"] == "Kafka"]
    [listener] = kafka["spec"]["kafka"]["listeners"]

    peers = {name for entry in listener["networkPolicyPeers"] for name in peers_of(entry)}

    assert peers == {*SERVICES_WITH_DATABASE, "role autoscaler"}


def test_only_the_services_reach_the_database(overlays: dict[str, list[Manifest]]) -> None:
    labels = {"bitloot/part": "postgres"}

    reached_by = allowed(overlays["production"], labels, "Ingress")

    assert reached_by == {
        *(f"{name}:5432/TCP" for name in SERVICES_WITH_DATABASE),
        "every migration:5432/TCP",
        "every verification:5432/TCP",
        "postgres:5432/TCP",
        "role autoscaler:5432/TCP",
        "postgres:8000/TCP",
        "namespace cnpg-system:8000/TCP",
        "role monitoring:9187/TCP",
    }
