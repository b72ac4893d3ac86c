import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from stack.compose_env import ensure_compose_env, read_compose_env

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")

Compose = dict[str, Any]


def interpolate(value: Any, variables: dict[str, str]) -> Any:
    """What Compose makes of a value; a required variable that is not set is an error."""
    if isinstance(value, dict):
        return {key: interpolate(entry, variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [interpolate(entry, variables) for entry in value]
    if not isinstance(value, str):
        return value

    def insert(found: re.Match[str]) -> str:
        known = variables.get(found["name"])
        if known is None and found["kind"] == ":-":
            return str(found["rest"])
        assert known is not None, f"{found['name']} is not in .env"
        return known

    return VARIABLE.sub(insert, value)


@pytest.fixture(scope="session")
def text() -> str:
    return FILE.read_text()


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("compose") / ".env"
    ensure_compose_env(file)
    return read_compose_env(file)


@pytest.fixture(scope="session")
def _parsed(text: str, variables: dict[str, str]) -> Compose:
    parsed = yaml.safe_load(text)
    return {**parsed, "services": interpolate(parsed["services"], variables)}


@pytest.fixture
def compose(_parsed: Compose) -> Compose:
    """The file with the secrets of a fresh .env, for this test alone."""
    return copy.deepcopy(_parsed)


@pytest.fixture
def mutated(compose: Compose) -> Callable[[str, str, Any], Compose]:
    """The file with one key of a service changed; None takes the key away."""

    def change(service: str, key: str, value: Any) -> Compose:
        if value is None:
            del compose["services"][service][key]
        else:
            compose["services"][service][key] = value
        return compose

    return change
