"""What every pod must be like. Each rule is proved to notice its breach on a changed manifest."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Manifest = dict[str, Any]
Finding = tuple[str, str]
Rule = Callable[[Manifest], Iterator[str]]

DRAIN_S = 25
"""How long a service takes at most to stop after SIGTERM (`servicekit.main`)."""


def template_of(workload: Manifest) -> Manifest:
    spec = workload["spec"]
    template: Manifest = spec.get("jobTemplate", {}).get("spec", spec)["template"]
    return template


def pod_of(workload: Manifest) -> Manifest:
    pod: Manifest = template_of(workload)["spec"]
    return pod


def containers_of(workload: Manifest) -> list[Manifest]:
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def is_service(workload: Manifest) -> bool:
    labels = template_of(workload)["metadata"]["labels"]
    return bool(labels["app.kubernetes.io/component"] == "service")


def nobody(workload: Manifest) -> Iterator[str]:
    security = pod_of(workload).get("securityContext", {})
    if security.get("runAsNonRoot") is not True or security.get("runAsUser", 0) < 10_000:
        yield "may run as root"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "seccomp"
    for container in containers_of(workload):
        if {"runAsUser", "runAsNonRoot", "seccompProfile"} & container["securityContext"].keys():
            yield "a container departs from its pod"


def locked(workload: Manifest) -> Iterator[str]:
    for container in containers_of(workload):
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False or security.get("privileged"):
            yield "privileges"
        if security.get("capabilities") != {"drop": ["ALL"]}:
            yield "capabilities"
        if security.get("readOnlyRootFilesystem") is not True:
            yield "root can be written"


def away_from_the_host(workload: Manifest) -> Iterator[str]:
    pod = pod_of(workload)
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers")):
        yield "shares the host's namespaces"
    for volume in pod.get("volumes", []):
        if not {"emptyDir", "secret", "configMap"} & volume.keys():
            yield f"volume {volume['name']} is of another kind"
        if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
            yield f"volume {volume['name']} has no limit"
    for container in containers_of(workload):
        if any("hostPort" in port for port in container.get("ports", [])):
            yield "port of the host"


def without_token(workload: Manifest) -> Iterator[str]:
    if pod_of(workload).get("automountServiceAccountToken") is not False:
        yield "holds a token of the Kubernetes API"
    if pod_of(workload).get("enableServiceLinks") is not False:
        yield "gets variables of every Service"


def bounded(workload: Manifest) -> Iterator[str]:
    for container in containers_of(workload):
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
            yield "no requests"
        if "memory" not in resources.get("limits", {}):
            yield "no limit of memory"


def from_a_fixed_image(workload: Manifest) -> Iterator[str]:
    for container in containers_of(workload):
        _, _, tag = container["image"].rpartition("/")[2].partition(":")
        if "@sha256:" not in container["image"] and tag in {"", "latest"}:
            yield f"image {container['image']} can be another one tomorrow"


def memory_is_kept(workload: Manifest) -> Iterator[str]:
    for container in containers_of(workload):
        resources = container["resources"]
        if resources["requests"].get("memory") != resources["limits"].get("memory"):
            yield "memory may be taken away"
        if "cpu" in resources["limits"]:
            yield "answers are throttled"


def probed_for_a_purpose(workload: Manifest) -> Iterator[str]:
    [container] = containers_of(workload)
    wanted = {
        "startupProbe": "/health/ready",
        "readinessProbe": "/health/ready",
        "livenessProbe": "/health/live",
    }
    for probe, path in wanted.items():
        if container.get(probe, {}).get("httpGet") != {"path": path, "port": "http"}:
            yield probe
    if (
        container.get("livenessProbe", {}).get("failureThreshold", 0)
        < container["readinessProbe"]["failureThreshold"]
    ):
        yield "killed before it is taken out"


def time_to_stop(workload: Manifest) -> Iterator[str]:
    [container] = containers_of(workload)
    pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if not pause:
        yield "requests still come when it stops"
    if pod_of(workload).get("terminationGracePeriodSeconds", 30) <= pause + DRAIN_S:
        yield "killed before it has ended what is in hand"


def always_there(workload: Manifest) -> Iterator[str]:
    if workload["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield "away during an update"
    keys = {
        rule["topologyKey"]
        for rule in pod_of(workload).get("topologySpreadConstraints", [])
        if "app.kubernetes.io/name" in rule.get("matchLabelKeys", [])
    }
    if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        yield "replicas may share a zone and a node"


def runs_once(workload: Manifest) -> Iterator[str]:
    spec = workload["spec"].get("jobTemplate", workload)["spec"]
    if pod_of(workload)["restartPolicy"] != "Never":
        yield "logs of a failed try are lost"
    if not {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= spec.keys():
        yield "may run or stay for ever"


def runs_again(workload: Manifest) -> Iterator[str]:
    spec = workload["spec"]
    if spec.get("concurrencyPolicy") != "Forbid":
        yield "two may run at once"
    if spec.get("suspend"):
        yield "never runs"
    if "startingDeadlineSeconds" not in spec or "timeZone" not in spec:
        yield "nobody knows when it runs"
    if spec["jobTemplate"]["spec"]["backoffLimit"] != 0 or not spec.get("failedJobsHistoryLimit"):
        yield "a failure is hidden"


FOR_ALL: tuple[Rule, ...] = (
    nobody,
    locked,
    away_from_the_host,
    without_token,
    bounded,
    from_a_fixed_image,
)
FOR_SERVICES: tuple[Rule, ...] = (
    memory_is_kept,
    probed_for_a_purpose,
    time_to_stop,
    always_there,
)


FOR_VERIFY: tuple[Rule, ...] = (memory_is_kept, probed_for_a_purpose)

RULES_BY_KIND: dict[str, tuple[Rule, ...]] = {
    "Job": (runs_once,),
    "CronJob": (runs_once, runs_again),
}


def breaches(manifests: list[Manifest]) -> list[Finding]:
    """Which workload breaks which rule."""
    found = []
    for workload in manifests:
        if workload["kind"] not in {"Deployment", "Job", "CronJob"}:
            continue
        rules = [*FOR_ALL, *RULES_BY_KIND.get(workload["kind"], ())]
        rules += FOR_SERVICES if is_service(workload) else ()
        rules += FOR_VERIFY if workload["metadata"]["name"] == "verify" else ()
        name = workload["metadata"]["name"]
        found += [(name, breach) for rule in rules for breach in rule(workload)]
    return found


def test_every_pod_keeps_every_rule(manifests: list[Manifest]) -> None:
    assert breaches(manifests) == []


POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"


@pytest.mark.parametrize("name", ["payments", "delivery", "storefront"])
@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        (f"{POD}.securityContext.runAsNonRoot", False, "may run as root"),
        (f"{POD}.securityContext.runAsUser", 0, "may run as root"),
        (f"{POD}.securityContext.seccompProfile", None, "seccomp"),
        (f"{CONTAINER}.securityContext.runAsUser", 0, "a container departs from its pod"),
        (f"{CONTAINER}.securityContext.allowPrivilegeEscalation", None, "privileges"),
        (f"{CONTAINER}.securityContext.privileged", True, "privileges"),
        (f"{CONTAINER}.securityContext.capabilities.add", ["NET_ADMIN"], "capabilities"),
        (f"{CONTAINER}.securityContext.capabilities.drop", ["NET_RAW"], "capabilities"),
        (f"{CONTAINER}.securityContext.readOnlyRootFilesystem", False, "root can be written"),
        (f"{POD}.hostNetwork", True, "shares the host's namespaces"),
        (f"{POD}.hostPID", True, "shares the host's namespaces"),
        (
            f"{POD}.volumes.+",
            {"name": "x", "hostPath": {"path": "/"}},
            "volume x is of another kind",
        ),
        (f"{POD}.volumes.+", {"name": "x", "emptyDir": {}}, "volume x has no limit"),
        (f"{CONTAINER}.ports.0.hostPort", 8000, "port of the host"),
        (f"{POD}.automountServiceAccountToken", True, "holds a token of the Kubernetes API"),
        (f"{POD}.enableServiceLinks", None, "gets variables of every Service"),
        (f"{CONTAINER}.resources.requests.cpu", None, "no requests"),
        (f"{CONTAINER}.resources.limits.cpu", "1", "answers are throttled"),
        (f"{CONTAINER}.resources.requests.memory", "64Mi", "memory may be taken away"),
        (
            f"{CONTAINER}.image",
            "bitloot/x:latest",
            "image bitloot/x:latest can be another one tomorrow",
        ),
        (f"{CONTAINER}.image", "r:5000/x", "image r:5000/x can be another one tomorrow"),
        (f"{CONTAINER}.startupProbe", None, "startupProbe"),
        (f"{CONTAINER}.readinessProbe.httpGet.path", "/health/live", "readinessProbe"),
        (f"{CONTAINER}.livenessProbe.httpGet.path", "/health/ready", "livenessProbe"),
        (f"{CONTAINER}.livenessProbe.httpGet.port", 9000, "livenessProbe"),
        (f"{CONTAINER}.livenessProbe.failureThreshold", 1, "killed before it is taken out"),
        (f"{CONTAINER}.lifecycle", None, "requests still come when it stops"),
        (f"{POD}.terminationGracePeriodSeconds", 30, "killed before it has ended what is in hand"),
        ("spec.strategy.rollingUpdate.maxUnavailable", 1, "away during an update"),
        (f"{POD}.topologySpreadConstraints.0", None, "replicas may share a zone and a node"),
    ],
)
def test_breach_is_noticed(
    mutated: Callable[..., list[Manifest]], name: str, path: str, value: object, breach: str
) -> None:
    changed = mutated("Deployment", name, path, value)

    assert (name, breach) in breaches(changed)


@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        (f"{POD}.restartPolicy", "OnFailure", "logs of a failed try are lost"),
        ("spec.activeDeadlineSeconds", None, "may run or stay for ever"),
        ("spec.backoffLimit", None, "may run or stay for ever"),
        (f"{POD}.securityContext.runAsNonRoot", None, "may run as root"),
        (f"{CONTAINER}.securityContext.capabilities", None, "capabilities"),
        (f"{CONTAINER}.resources.limits", None, "no limit of memory"),
        (f"{POD}.automountServiceAccountToken", None, "holds a token of the Kubernetes API"),
    ],
)
def test_breach_of_a_job_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object, breach: str
) -> None:
    changed = mutated("Job", "orders-migrate", path, value)

    assert breaches(changed) == [("orders-migrate", breach)]


CRON_POD = f"spec.jobTemplate.{POD}"


@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        (f"{CRON_POD}.restartPolicy", "OnFailure", "logs of a failed try are lost"),
        ("spec.jobTemplate.spec.activeDeadlineSeconds", None, "may run or stay for ever"),
        ("spec.jobTemplate.spec.backoffLimit", 3, "a failure is hidden"),
        ("spec.failedJobsHistoryLimit", 0, "a failure is hidden"),
        ("spec.concurrencyPolicy", "Allow", "two may run at once"),
        ("spec.suspend", True, "never runs"),
        ("spec.timeZone", None, "nobody knows when it runs"),
        (f"{CRON_POD}.securityContext.runAsNonRoot", None, "may run as root"),
        (f"{CRON_POD}.containers.0.securityContext.capabilities", None, "capabilities"),
        (f"{CRON_POD}.containers.0.resources.limits", None, "no limit of memory"),
        (f"{CRON_POD}.enableServiceLinks", None, "gets variables of every Service"),
    ],
)
def test_breach_of_what_runs_daily_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object, breach: str
) -> None:
    changed = mutated("CronJob", "reconcile", path, value)

    assert breaches(changed) == [("reconcile", breach)]


@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        (f"{CONTAINER}.livenessProbe", None, "livenessProbe"),
        (f"{CONTAINER}.securityContext.readOnlyRootFilesystem", False, "root can be written"),
        (f"{CONTAINER}.resources.limits.memory", "1Gi", "memory may be taken away"),
        (f"{POD}.automountServiceAccountToken", True, "holds a token of the Kubernetes API"),
    ],
)
def test_breach_of_verification_is_noticed(
    mutated: Callable[..., list[Manifest]], path: str, value: object, breach: str
) -> None:
    changed = mutated("Deployment", "verify", path, value)

    assert breaches(changed)[:1] == [("verify", breach)]
