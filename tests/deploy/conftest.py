import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy/k8s"
OVERLAYS = ("small", "dev", "staging", "production")
HOW_TO_INSTALL = (
    "neither kustomize nor kubectl is installed: "
    "go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0 (macOS: brew install kustomize)"
)

Manifest = dict[str, Any]
Manifests = list[Manifest]


def build_command() -> list[str]:
    """What renders a kustomization on this machine; without it, the test is skipped."""
    if found := shutil.which("kustomize"):
        return [found, "build"]
    if found := shutil.which("kubectl"):
        return [found, "kustomize"]
    pytest.skip(HOW_TO_INSTALL)


@pytest.fixture(scope="session")
def render() -> Callable[[Path], Manifests]:
    """Renders a folder to its manifests."""

    def build(folder: Path) -> Manifests:
        answer = subprocess.run(
            [*build_command(), str(folder)], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        return [document for document in yaml.safe_load_all(answer.stdout) if document]

    return build


@pytest.fixture(scope="session")
def _rendered(render: Callable[[Path], Manifests]) -> dict[str, Manifests]:
    return {name: _of_any_release(name, render(K8S / "overlays" / name)) for name in OVERLAYS}


def _of_any_release(overlay: str, manifests: Manifests) -> Manifests:
    """Jobs carry the release in their names, which changes; every one of them must."""
    jobs = yaml.safe_load((K8S / "overlays" / overlay / "jobs/kustomization.yaml").read_text())
    for manifest in manifests:
        if manifest["kind"] == "Job":
            name = manifest["metadata"]["name"]
            assert name.endswith(jobs["nameSuffix"])
            manifest["metadata"]["name"] = name.removesuffix(jobs["nameSuffix"])
    return manifests


@pytest.fixture
def overlays(_rendered: dict[str, Manifests]) -> dict[str, Manifests]:
    """Every overlay rendered, for this test alone."""
    return copy.deepcopy(_rendered)


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    """The name of each overlay in turn."""
    return str(request.param)


@pytest.fixture
def manifests(overlays: dict[str, Manifests], overlay: str) -> Manifests:
    """The manifests of each overlay in turn."""
    return overlays[overlay]


@pytest.fixture
def mutated(overlays: dict[str, Manifests]) -> Callable[..., Manifests]:
    """Production with one value changed: `mutated("Deployment", "orders", "spec.replicas", 0)`.

    In a path, a number is a place in a list and `~` a dot inside a key. None takes the value away;
    "+" as the last step adds to a list.
    """

    def change(kind: str, name: str, path: str, value: Any, *, of: str = "production") -> Manifests:
        found = [it for it in overlays[of] if (it["kind"], it["metadata"]["name"]) == (kind, name)]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        *steps, last = [step.replace("~", ".") for step in path.split(".")]
        place: Any = found[0]
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        _set(place, last, value)
        return overlays[of]

    return change


def _set(place: Any, key: str, value: Any) -> None:
    if key == "+":
        place.append(value)
    elif value is None:
        del place[int(key) if isinstance(place, list) else key]
    else:
        place[int(key) if isinstance(place, list) else key] = value
