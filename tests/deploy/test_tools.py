"""The programs that write manifests: rules and dashboards wrapped, a release named."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

K8S = Path(__file__).parents[2] / "deploy/k8s"
OVERLAYS = ("small", "dev", "staging", "production")
DIGEST = f"sha256:{'ab' * 32}"
RULES = {
    "groups": [
        {
            "name": "orders",
            "rules": [
                {"alert": "Stuck", "expr": "x > 1", "for": "5m", "labels": {"severity": "page"}}
            ],
        }
    ]
}


def load(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate() -> Any:
    return load(K8S / "components/observability/generate.py")


@pytest.fixture(scope="module")
def release() -> Any:
    return load(K8S / "release.py")


@pytest.fixture(scope="module")
def run() -> Any:
    return load(K8S / "run.py")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for folder in ("rules", "dashboards"):
        (tmp_path / "sources" / folder).mkdir(parents=True)
    (tmp_path / "sources/rules/orders.yml").write_text(yaml.safe_dump(RULES))
    (tmp_path / "sources/dashboards/business.json").write_text('{"title": "Business"}')
    return tmp_path / "sources"


def test_what_is_committed_is_what_deploy_observability_says(generate: Any) -> None:
    assert generate.stale(generate.wanted()) == [], "run `make manifests`"


def test_rules_become_a_prometheus_rule(generate: Any, sources: Path) -> None:
    manifest = yaml.safe_load(generate.wanted(sources)["rules-orders.yaml"])

    assert (manifest["kind"], manifest["metadata"]["name"]) == ("PrometheusRule", "bitloot-orders")
    [rule] = manifest["spec"]["groups"][0]["rules"]
    assert rule["labels"].pop("namespace") == "bitloot"
    assert manifest["spec"] == RULES


def test_dashboard_becomes_a_config_map_for_grafana(generate: Any, sources: Path) -> None:
    manifest = yaml.safe_load(generate.wanted(sources)["dashboard-business.yaml"])

    assert manifest["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert json.loads(manifest["data"]["business.json"]) == {"title": "Business"}


def test_what_is_generated_can_be_rendered(
    generate: Any, sources: Path, tmp_path: Path, render: Callable[[Path], list[dict[str, Any]]]
) -> None:
    out = tmp_path / "generated"

    generate.write(generate.wanted(sources), out)

    assert {it["kind"] for it in render(out)} == {"PrometheusRule", "ConfigMap"}


def test_file_that_is_gone_is_taken_away(generate: Any, sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "generated"
    generate.write(generate.wanted(sources), out)
    (sources / "rules/orders.yml").unlink()
    assert generate.stale(generate.wanted(sources), out) == [
        "kustomization.yaml",
        "rules-orders.yaml",
    ]

    generate.write(generate.wanted(sources), out)

    assert generate.stale(generate.wanted(sources), out) == []


@pytest.mark.parametrize("name", ["staging", "production"])
def test_release_names_images_by_digest_and_jobs_by_tag(
    release: Any, tmp_path: Path, render: Callable[[Path], list[dict[str, Any]]], name: str
) -> None:
    shutil.copytree(K8S, tmp_path / "k8s")
    overlay = tmp_path / "k8s/overlays" / name

    release.write(overlay, "0.2.0-RC.1", "r.example/shop", lambda _: DIGEST)

    manifests = render(overlay)
    jobs = {it["metadata"]["name"] for it in manifests if it["kind"] == "Job"}
    images = {
        it["spec"]["template"]["spec"]["containers"][0]["image"]
        for it in manifests
        if it["kind"] in {"Job", "Deployment"}
    }
    assert "orders-migrate-0-2-0-rc-1" in jobs
    assert f"r.example/shop/orders@{DIGEST}" in images
    assert all(image.endswith(f"@{DIGEST}") for image in images)


def test_release_of_tags_asks_no_engine(release: Any, tmp_path: Path) -> None:
    shutil.copytree(K8S / "overlays/small", tmp_path / "small")

    release.write(tmp_path / "small", "0.2.0", None, None)

    text = (tmp_path / "small/release/kustomization.yaml").read_text()
    assert text.count("newTag: 0.2.0}") == 7
    assert "newName: registry.example.com/bitloot/tools" in text


@pytest.mark.parametrize("arguments", [[], ["production"], ["moon", "1"], ["small", "a b"]])
def test_wrong_arguments_are_one_line(release: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"usage: release\.py"):
        release.main(arguments)


def test_image_that_was_never_pushed_is_one_line(release: Any) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no docker command: Debian: apt-get install docker.io")

    with pytest.raises(SystemExit, match="push it first"):
        release.pushed_digest("registry.example.com/bitloot/nothing:0")


# --- a command in the cluster --------------------------------------------------------------------


def deployment_of(manifests: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [found] = [
        it for it in manifests if it["kind"] == "Deployment" and it["metadata"]["name"] == name
    ]
    return found


def test_command_has_what_the_service_has_and_answers_no_request(
    run: Any, overlays: dict[str, list[dict[str, Any]]]
) -> None:
    orders = deployment_of(overlays["production"], "orders")
    before = orders["spec"]["template"]["spec"]["containers"][0]

    job = run.job(orders, "r.example/tools:1", ["admin-token", "--role", "owner"], "command-1")

    [container] = job["spec"]["template"]["spec"]["containers"]
    assert kubernetes_validate.validate(job, "1.37", strict=True)
    assert container["args"] == ["admin-token", "--role", "owner"]
    assert container["envFrom"] == before["envFrom"]
    assert container["securityContext"] == before["securityContext"]
    assert not {"ports", "readinessProbe", "livenessProbe"} & container.keys()
    assert "ORDERS_DATABASE_URL" in {entry["name"] for entry in container["env"]}


def test_pods_of_commands_are_in_the_networks_of_their_service_and_behind_no_service(
    run: Any, overlays: dict[str, list[dict[str, Any]]]
) -> None:
    production = overlays["production"]
    for name in ("payments", "orders", "delivery"):
        job = run.job(deployment_of(production, name), "i:1", [], "c")
        labels = job["spec"]["template"]["metadata"]["labels"]
        policies = [
            it["metadata"]["name"]
            for it in production
            if it["kind"] == "NetworkPolicy"
            and it["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
        ]
        behind = [
            it
            for it in production
            if it["kind"] in {"Service", "PodDisruptionBudget"}
            and set(str(it["spec"]["selector"]).split("'")) >= {name, "service"}
            and labels["app.kubernetes.io/component"] == "service"
        ]
        assert {"default-deny", "dns", name} <= {*policies}
        assert behind == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_release_names_the_tools(run: Any, name: str) -> None:
    text = (K8S / "overlays" / name / "release/kustomization.yaml").read_text()

    assert run.tools_image(text).startswith("registry.example.com/bitloot/tools")


FAKE_KUBECTL = """#!{python}
import json, sys
from pathlib import Path
folder = Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[3:5]) + "\\n")
verb, what = sys.argv[3:5]
if verb == "create":
    (folder / "job").write_text(sys.stdin.read())
elif verb == "get" and what == "deployment":
    print((folder / "deployment").read_text())
elif verb == "get":
    print(json.dumps({{"status": {status}}}))
elif verb == "logs":
    print("a-token")
"""


@pytest.mark.parametrize(("status", "code"), [({"succeeded": 1}, 0), ({"failed": 1}, 1)])
def test_command_is_made_shown_and_deleted(
    run: Any,
    overlays: dict[str, list[dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: dict[str, int],
    code: int,
) -> None:
    (tmp_path / "deployment").write_text(json.dumps(deployment_of(overlays["small"], "orders")))
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        FAKE_KUBECTL.format(python=sys.executable, folder=str(tmp_path), status=json.dumps(status))
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    answer = run.run("small", "orders", ["admin-token"])

    assert answer == code
    assert capsys.readouterr().out == "a-token\n"
    made = json.loads((tmp_path / "job").read_text())["metadata"]["name"]
    assert (tmp_path / "calls").read_text().splitlines()[-1] == f"delete job/{made}"


@pytest.mark.parametrize("name", OVERLAYS)
def test_release_has_every_image_that_the_overlay_runs(
    name: str, overlays: dict[str, list[dict[str, Any]]]
) -> None:
    text = (K8S / "overlays" / name / "release/kustomization.yaml").read_text()

    left = [
        it["spec"]["template"]["spec"]["containers"][0]["image"]
        for it in overlays[name]
        if it["kind"] in {"Job", "Deployment"}
    ]

    ours = {image.partition("@")[0].partition(":")[0] for image in left if "/bitloot/" in image}
    assert text.count("newName:") == len(ours | {"registry.example.com/bitloot/tools"})
    assert not [image for image in left if image.startswith("bitloot/")]
