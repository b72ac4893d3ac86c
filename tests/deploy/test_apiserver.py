"""Every overlay, applied to a real API server: defaults, CEL rules, Pod Security and all.

Needs kube-apiserver and etcd, on the PATH or as `make apiserver` builds them.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("apiserver")]

CRDS = Path(__file__).parent / "crds"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "bitloot/servers"
LOOPBACK = "127.0.0.1"
TOKEN = "a-token-for-tests"
APPLY = {"fieldManager": "bitloot-tests", "force": "true", "fieldValidation": "Strict"}
START_S = 60.0

Manifest = dict[str, Any]


def program(name: str) -> str:
    """Where it is; without it the test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=str(CACHE))
    if found is None:
        pytest.skip(f"{name} is not here: `make apiserver` builds it (needs Go, takes 5 minutes)")
    return found


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


class ApiServer:
    """A client of the API, and what it warned of."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._path_by_kind: dict[tuple[str, str], tuple[str, bool]] = {}

    def ready(self) -> bool:
        try:
            return self._client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def apply(self, manifest: Manifest) -> list[str]:
        """Refusal or warnings of a server-side apply; nothing when all is well."""
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}"
        answer = self._client.patch(
            path,
            params=APPLY,
            content=json.dumps(manifest),
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        warnings = answer.headers.get_list("warning")
        refused = [] if answer.is_success else [str(answer.json().get("message"))]
        label = f"{manifest['kind']} {manifest['metadata']['name']}"
        return [f"{label}: {text}" for text in [*refused, *warnings]]

    def _collection(self, manifest: Manifest) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"]
        if (version, kind) not in self._path_by_kind:
            self._discover(version)
        root, is_namespaced = self._path_by_kind[version, kind]
        if not is_namespaced:
            return root
        base, _, plural = root.rpartition("/")
        return f"{base}/namespaces/{manifest['metadata']['namespace']}/{plural}"

    def _discover(self, version: str) -> None:
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for found in self._client.get(base).raise_for_status().json()["resources"]:
            if "/" not in found["name"]:
                entry = (f"{base}/{found['name']}", found["namespaced"])
                self._path_by_kind[version, found["kind"]] = entry

    def established(self, name: str) -> bool:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
        conditions = self._client.get(path).json().get("status", {}).get("conditions", [])
        return any(it["type"] == "Established" and it["status"] == "True" for it in conditions)

    def serves(self, version: str, kind: str) -> bool:
        try:
            self._discover(version)
        except httpx.HTTPStatusError:
            return False
        return (version, kind) in self._path_by_kind


def wait_until(is_so: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + START_S
    while not is_so():
        assert process is None or process.poll() is None, "the API server ended; see its log"
        assert time.monotonic() < deadline
        time.sleep(0.2)


def start(stack: ExitStack, log: Path, *command: str) -> subprocess.Popen[bytes]:
    file = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(command, stdout=file, stderr=file)

    def stop() -> None:
        process.kill()
        process.wait()

    stack.callback(stop)
    return process


def write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    etcd, apiserver = program("etcd"), program("kube-apiserver")
    folder = tmp_path_factory.mktemp("apiserver")
    write_key(folder / "accounts.key")
    (folder / "tokens.csv").write_text(f"{TOKEN},tester,1,system:masters\n")
    etcd_url, peer_url = (f"http://{LOOPBACK}:{free_port()}" for _ in range(2))
    port = free_port()
    with ExitStack() as stack:
        start(
            stack,
            folder / "etcd.log",
            etcd,
            f"--data-dir={folder}/etcd",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
        )
        process = start(
            stack,
            folder / "apiserver.log",
            apiserver,
            f"--etcd-servers={etcd_url}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={port}",
            f"--cert-dir={folder}/certificates",
            f"--token-auth-file={folder}/tokens.csv",
            f"--service-account-signing-key-file={folder}/accounts.key",
            f"--service-account-key-file={folder}/accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--authorization-mode=RBAC",
        )
        certificate = folder / "certificates/apiserver.crt"
        wait_until(certificate.is_file, process)
        trust = ssl.create_default_context(cafile=certificate)
        client = stack.enter_context(
            httpx.Client(
                base_url=f"https://{LOOPBACK}:{port}",
                headers={"Authorization": f"Bearer {TOKEN}"},
                verify=trust,
                trust_env=False,
                timeout=30,
            )
        )
        server = ApiServer(client)
        wait_until(server.ready, process)
        install_custom_kinds(server)
        yield server


def install_custom_kinds(server: ApiServer) -> None:
    """The operators' kinds, as their own CRDs define them."""
    wanted = []
    for file in sorted(CRDS.glob("*.json")):
        group, version, kind = file.stem.split("_")
        plural = f"{kind.lower()}s"
        schema = json.loads(file.read_text())
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{group}",
                # Groups of kubernetes.io want to know that this was agreed on.
                "annotations": {
                    "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"
                },
            },
            "spec": {
                "group": group,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "scope": "Namespaced",
                "versions": [
                    {
                        "name": version,
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": schema},
                    }
                ],
            },
        }
        assert server.apply(crd) == []
        wanted.append((f"{plural}.{group}", f"{group}/{version}", kind))
    for name, version, kind in wanted:
        wait_until(lambda: server.established(name))  # noqa: B023  called before the next turn
        wait_until(lambda: server.serves(version, kind))  # noqa: B023  as above


def in_namespace(manifest: Manifest, name: str) -> Manifest:
    key = "name" if manifest["kind"] == "Namespace" else "namespace"
    return manifest | {"metadata": manifest["metadata"] | {key: name}}


def test_every_overlay_is_taken_without_a_warning(
    api: ApiServer, manifests: list[Manifest], overlay: str
) -> None:
    # One each: a Job that is there cannot be changed.
    moved = [in_namespace(manifest, f"bitloot-{overlay}") for manifest in manifests]
    namespaces_first = sorted(moved, key=lambda it: it["kind"] != "Namespace")

    assert [text for manifest in namespaces_first for text in api.apply(manifest)] == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "words"),
    [
        ("Deployment", "orders", "spec.template.spec.hostNetwork", True, "PodSecurity"),
        (
            "Deployment",
            "orders",
            "spec.template.spec.containers.0.securityContext.capabilities",
            None,
            "unrestricted capabilities",
        ),
        ("Deployment", "orders", "spec.selector.matchLabels.x", "y", "selector"),
        ("Service", "orders", "spec.ports.0.port", 0, "spec.ports[0].port"),
        ("NetworkPolicy", "orders", "spec.ingress.0.ports.0.port", 70000, "must be between 1"),
        ("PodDisruptionBudget", "orders", "spec.minAvailable", 1, "cannot be both set"),
        ("KafkaTopic", "key.ready", "spec.partitions", 0, "spec.partitions"),
        ("KafkaTopic", "key.ready", "spec.copies", 3, "field not declared in schema"),
        ("Cluster", "bitloot-postgres", "spec.instances", 0, "spec.instances"),
        ("Gateway", "bitloot", "spec.listeners.1.name", "http", "listeners"),
        (
            "HTTPRoute",
            "to-https",
            "spec.rules.0.filters.0.requestRedirect.statusCode",
            200,
            "statusCode",
        ),
        ("ScaledObject", "orders", "spec.triggers", None, "spec.triggers"),
    ],
)
def test_manifest_that_is_wrong_is_refused_or_warned_of(
    api: ApiServer,
    mutated: Any,
    kind: str,
    name: str,
    path: str,
    value: object,
    words: str,
) -> None:
    changed = mutated(kind, name, path, value)
    [namespace] = [it for it in changed if it["kind"] == "Namespace"]
    [manifest] = [it for it in changed if (it["kind"], it["metadata"]["name"]) == (kind, name)]
    assert api.apply(namespace) == []

    [text, *_] = api.apply(manifest)

    assert words in text
