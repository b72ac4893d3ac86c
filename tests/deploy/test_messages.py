"""Topics, users and autoscaling are those of the code: contracts, publishers and subscribers."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import contracts
import pytest
from contracts import MESSAGES
from contracts.topics import MAX_MESSAGE_BYTES, PARTITIONS, RETENTION_MS, Topic
from servicekit.runtime import Runtime
from stack.plan import SERVICES_WITH_DATABASE

ROOT = Path(__file__).parents[2]
OPERATED = ("dev", "staging", "production")
WITH_JOBS = {"payments", "fulfillment-kinguin", "delivery"}
"""Whose messages only make job rows: the work itself waits there."""

Manifest = dict[str, Any]
Acl = tuple[str, str, str]


def by_name(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {it["metadata"]["name"]: it["spec"] for it in manifests if it["kind"] == kind}


# --- what the code does --------------------------------------------------------------------------


def read_by(service: str) -> dict[str, str]:
    """Topic to group of every subscriber."""
    package = service.replace("-", "_")
    settings = import_module(f"{package}.testing").some_settings("postgresql://a:b@127.0.0.1:1/c")
    runtime = Runtime(import_module(f"{package}.bootstrap").build_service(settings))
    subscribers: list[Any] = list(runtime.broker.subscribers)
    return {name: str(it.group_id) for it in subscribers for name in it.topic_names}


def written_by(service: str) -> set[str]:
    """The topics of the messages that the `publish_*` files make."""
    package = service.replace("-", "_")
    files = (ROOT / "services" / service / "src" / package / "adapters").glob("publish_*.py")
    names = {name for file in files for name in imported_from_contracts(file)}
    return {it.topic.value for name in names if (it := getattr(contracts, name)) in MESSAGES}


def imported_from_contracts(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "contracts":
            yield from (alias.name for alias in node.names)


def needed(service: str) -> set[Acl]:
    """Every operation that the service must be allowed, and no other."""
    found = {("topic", name, "Read") for name in read_by(service)}
    found |= {("group", name, "Read") for name in read_by(service).values()}
    found |= {("topic", name, "Write") for name in written_by(service)}
    return found | {(kind, name, "Describe") for kind, name, _ in found}


def granted(user: Manifest) -> set[Acl]:
    return {
        (acl["resource"]["type"], acl["resource"]["name"], operation)
        for acl in user["authorization"]["acls"]
        for operation in acl["operations"]
        if acl["resource"].get("patternType", "literal") == "literal"
        and acl.get("type", "allow") == "allow"
    }


# --- topics --------------------------------------------------------------------------------------


def wrong_topics(manifests: list[Manifest], copies: int) -> list[str]:
    topics = by_name(manifests, "KafkaTopic")
    wanted = {
        "partitions": PARTITIONS,
        "replicas": copies,
        "config": {
            "cleanup.policy": "delete",
            "retention.ms": RETENTION_MS,
            "max.message.bytes": MAX_MESSAGE_BYTES,
            "min.insync.replicas": max(1, copies - 1),
        },
    }
    names = {topic.value for topic in Topic}
    return sorted(names ^ topics.keys()) + [
        name for name, spec in topics.items() if name in names and spec != wanted
    ]


@pytest.mark.parametrize(("name", "copies"), [("dev", 1), ("staging", 3), ("production", 3)])
def test_topics_are_those_of_the_contracts(
    overlays: dict[str, list[Manifest]], name: str, copies: int
) -> None:
    assert wrong_topics(overlays[name], copies) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "key.readi"),
        ("spec.partitions", 6),
        ("spec.replicas", 1),
        ("spec.config.retention~ms", 1000),
        ("spec.config.max~message~bytes", 65536),
        ("spec.config.min~insync~replicas", 1),
        ("spec.config.cleanup~policy", "compact"),
    ],
)
def test_topic_of_another_shape_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    assert wrong_topics(mutated("KafkaTopic", "key.ready", path, value), 3) != []


def fragile(manifests: list[Manifest]) -> Iterator[str]:
    """What loses messages when one broker goes away, or lets anybody in."""
    [pool] = by_name(manifests, "KafkaNodePool").values()
    kafka = by_name(manifests, "Kafka")["bitloot"]["kafka"]
    config = kafka["config"]
    if pool["replicas"] < 3:
        yield "brokers"
    if config["default.replication.factor"] != 3 or config["offsets.topic.replication.factor"] != 3:
        yield "copies"
    if config["min.insync.replicas"] != 2 or config["unclean.leader.election.enable"]:
        yield "in step"
    if config["auto.create.topics.enable"]:
        yield "topics by accident"
    if kafka.get("authorization") != {"type": "simple"}:
        yield "no ACLs"
    if any(not it["tls"] or "authentication" not in it for it in kafka["listeners"]):
        yield "a listener takes anybody"


def test_production_has_three_brokers_and_loses_nothing_with_one(
    overlays: dict[str, list[Manifest]],
) -> None:
    assert list(fragile(overlays["production"])) == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("KafkaNodePool", "broker", "spec.replicas", 2),
        ("Kafka", "bitloot", "spec.kafka.config.default~replication~factor", 2),
        ("Kafka", "bitloot", "spec.kafka.config.min~insync~replicas", 1),
        ("Kafka", "bitloot", "spec.kafka.config.unclean~leader~election~enable", True),
        ("Kafka", "bitloot", "spec.kafka.config.auto~create~topics~enable", True),
        ("Kafka", "bitloot", "spec.kafka.authorization", None),
        ("Kafka", "bitloot", "spec.kafka.listeners.0.authentication", None),
        ("Kafka", "bitloot", "spec.kafka.listeners.0.tls", False),
    ],
)
def test_fragile_kafka_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, name: str, path: str, value: object
) -> None:
    assert list(fragile(mutated(kind, name, path, value))) != []


# --- users ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATED)
@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_user_may_do_what_its_service_does_and_nothing_else(
    overlays: dict[str, list[Manifest]], name: str, service: str
) -> None:
    user = by_name(overlays[name], "KafkaUser")[service]

    assert user["authentication"] == {"type": "scram-sha-512"}
    assert granted(user) == needed(service)
    assert sum(len(acl["operations"]) for acl in user["authorization"]["acls"]) == len(
        needed(service)
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("0.operations", ["All"]),
        ("0.operations.+", "Write"),
        ("0.resource.name", "*"),
        ("0.resource.patternType", "prefix"),
        ("0.type", "deny"),
        ("0", None),
        ("+", {"resource": {"type": "topic", "name": "key.ready"}, "operations": ["Read"]}),
        ("+", {"resource": {"type": "group", "name": "orders.x"}, "operations": ["Read"]}),
    ],
)
def test_other_acls_are_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object
) -> None:
    changed = mutated("KafkaUser", "orders", f"spec.authorization.acls.{path}", value)

    assert granted(by_name(changed, "KafkaUser")["orders"]) != needed("orders")


def test_nobody_but_the_services_has_a_user_besides_the_autoscaler_that_reads_nothing(
    overlays: dict[str, list[Manifest]],
) -> None:
    users = by_name(overlays["production"], "KafkaUser")

    assert users.keys() == {*SERVICES_WITH_DATABASE, "autoscaler"}
    assert {operation for *_, operation in granted(users["autoscaler"])} == {"Describe"}


# --- autoscaling ---------------------------------------------------------------------------------


def wrong_scaling(manifests: list[Manifest]) -> Iterator[str]:
    objects = by_name(manifests, "ScaledObject")
    deployments = by_name(manifests, "Deployment")
    if objects.keys() != {*SERVICES_WITH_DATABASE}:
        yield "who is scaled"
        return
    if by_name(manifests, "HorizontalPodAutoscaler"):
        yield "two autoscalers"
    for name, spec in objects.items():
        kinds = Counter(trigger["type"] for trigger in spec["triggers"])
        watched = {
            trigger["metadata"]["topic"]: trigger["metadata"]["consumerGroup"]
            for trigger in spec["triggers"]
            if trigger["type"] == "kafka"
        }
        if spec["scaleTargetRef"]["name"] not in deployments:
            yield f"{name}: nothing is scaled"
        if "replicas" in deployments.get(name, {}):
            yield f"{name}: applied replicas undo what was scaled"
        if watched != read_by(name) or kinds["postgresql"] != (name in WITH_JOBS):
            yield f"{name}: watches something else"
        if not 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"] <= PARTITIONS:
            yield f"{name}: none, or idle replicas"


@pytest.mark.parametrize("name", ["staging", "production"])
def test_every_consumer_is_scaled_by_what_waits_for_it(
    overlays: dict[str, list[Manifest]], name: str
) -> None:
    assert list(wrong_scaling(overlays[name])) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ScaledObject", "spec.minReplicaCount", 0),
        ("ScaledObject", "spec.maxReplicaCount", 13),
        ("ScaledObject", "spec.triggers.0.metadata.topic", "key.readi"),
        ("ScaledObject", "spec.triggers.0.metadata.consumerGroup", "delivery"),
        ("ScaledObject", "spec.triggers.3", None),
        ("ScaledObject", "spec.scaleTargetRef.name", "deliver"),
        ("ScaledObject", "metadata.name", "deliver"),
        ("Deployment", "spec.replicas", 2),
    ],
)
def test_other_scaling_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, path: str, value: object
) -> None:
    assert list(wrong_scaling(mutated(kind, "delivery", path, value))) != []


def test_rows_that_count_as_due_are_those_that_a_job_would_claim() -> None:
    """The scaler's query names columns: they must be the table's."""
    tables = import_module("persistence.tables")
    text = (ROOT / "deploy/k8s/components/keda/scaled-objects.yaml").read_text()

    assert text.count("SELECT count(*) FROM jobs WHERE due_at <= now()") == len(WITH_JOBS)
    assert "due_at" in tables.jobs.c
