"""The programs that write manifests: rules and dashboards wrapped, a release named."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

    assert text.count("newName:") == len(
        {image.partition("@")[0].partition(":")[0] for image in left if "/bitloot/" in image}
    )
    assert not [image for image in left if image.startswith("bitloot/")]
