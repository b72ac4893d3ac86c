"""docker-compose.yml: hardening, health, order of starting, ports, images, secrets.

Each rule is proved to notice its breach on a changed copy of the file.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stack import containers
from stack.plan import SERVICES, SERVICES_WITH_DATABASE, SIMULATORS
from stack.ports import FIXED_PORTS

ROOT = Path(__file__).parents[2]
OURS = (*SERVICES, *SIMULATORS)
MIGRATIONS = tuple(f"{name}-migrate" for name in SERVICES_WITH_DATABASE)
ONE_SHOTS = ("topics", "bucket", "bitloot", "alertmanager-config", *MIGRATIONS)
# Images without any program that could look; `observability-ready` looks at them from outside.
LOOKED_AT = ("otel-collector", "tempo")


def hardening(service: dict[str, Any]) -> Iterator[str]:
    """What is missing for a container that is broken into to be of little use."""
    if service.get("cap_drop") != ["ALL"] or "cap_add" in service:
        yield "capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "no-new-privileges"
    if service.get("read_only") is not True:
        yield "read_only"
    if service.get("privileged"):
        yield "privileged"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"cpus", "memory", "pids"} <= limits.keys():
        yield "limits"
    if any("docker.sock" in volume for volume in service.get("volumes", [])):
        yield "engine socket"


def health(name: str, service: dict[str, Any]) -> Iterator[str]:
    """A check for everything that stays, none for what ends."""
    if name in LOOKED_AT:
        # `up --wait` fails for a container that stays and whose check is disabled.
        if "healthcheck" in service:
            yield "healthcheck"
        return
    disabled = service.get("healthcheck", {}).get("disable", False)
    if disabled != (name in ONE_SHOTS):
        yield "healthcheck"
    if not disabled and not {"test", "interval", "timeout"} <= service["healthcheck"].keys():
        yield "healthcheck is not complete"


def foreign_ports(service: dict[str, Any]) -> list[str]:
    """Ports that can be reached from outside this machine."""
    return [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]


def every(compose: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(compose["services"].items())


def test_every_container_is_hardened(compose: Any) -> None:
    assert {name: found for name, it in every(compose) if (found := list(hardening(it)))} == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cap_drop", None),
        ("cap_drop", ["NET_RAW"]),
        ("cap_add", ["SYS_ADMIN"]),
        ("security_opt", None),
        ("read_only", None),
        ("read_only", False),
        ("privileged", True),
        ("deploy", None),
        ("deploy", {"resources": {"limits": {"cpus": "1.0"}}}),
        ("volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    ],
)
@pytest.mark.parametrize("name", [*SERVICES, "kafka", "postgres"])
def test_container_that_is_not_hardened_is_noticed(
    mutated: Callable[..., Any], name: str, key: str, value: Any
) -> None:
    changed = mutated(name, key, value)

    assert list(hardening(changed["services"][name])) != []


@pytest.mark.parametrize("name", [*OURS, "gateway", "topics", "orders-migrate"])
def test_our_containers_run_as_their_own_user(compose: Any, name: str) -> None:
    assert compose["services"][name]["user"] == "10001:10001"


def test_everything_that_stays_says_whether_it_is_healthy(compose: Any) -> None:
    assert {name: found for name, it in every(compose) if (found := list(health(name, it)))} == {}


@pytest.mark.parametrize("name", ["orders", "kafka", *LOOKED_AT])
def test_disabled_health_check_is_noticed(mutated: Callable[..., Any], name: str) -> None:
    changed = mutated(name, "healthcheck", {"disable": True})

    assert list(health(name, changed["services"][name])) != []


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_healthy_when_it_is_ready(compose: Any, name: str) -> None:
    assert "/health/ready" in str(compose["services"][name]["healthcheck"]["test"])


@pytest.mark.parametrize("name", SERVICES_WITH_DATABASE)
def test_service_starts_after_its_topics_and_its_schema(compose: Any, name: str) -> None:
    done = {"condition": "service_completed_successfully"}

    before = compose["services"][name]["depends_on"]

    assert before["topics"] == done
    assert before[f"{name}-migrate"] == done


def test_one_shots_start_when_their_server_is_healthy(compose: Any) -> None:
    for name in ONE_SHOTS:
        before = compose["services"][name].get("depends_on", {})
        assert all(entry == {"condition": "service_healthy"} for entry in before.values())
        assert before or name == "bitloot"
        assert compose["services"][name]["restart"] == "no"


def test_verification_starts_when_every_schema_is_there(compose: Any) -> None:
    before = compose["services"]["verify"]["depends_on"]

    done = {"condition": "service_completed_successfully"}
    assert before == dict.fromkeys(("bucket", *MIGRATIONS), done)


def test_verification_opens_every_database_as_the_role_that_reads(
    compose: Any, variables: dict[str, str]
) -> None:
    environment = compose["services"]["verify"]["environment"]

    for name in SERVICES_WITH_DATABASE:
        database = name.replace("-", "_")
        login = f"verify:{variables['VERIFY_DATABASE_PASSWORD']}"
        wanted = f"postgresql://{login}@postgres:5432/{database}"
        assert environment[f"{database.upper()}_DATABASE_URL"] == wanted


def test_services_get_thirty_seconds_to_stop(compose: Any) -> None:
    # servicekit gives open requests 20 s.
    assert {compose["services"][name]["stop_grace_period"] for name in OURS} == {"30s"}


def test_ports_are_published_on_this_machine_only(compose: Any) -> None:
    assert {name: found for name, it in every(compose) if (found := foreign_ports(it))} == {}


@pytest.mark.parametrize("port", ["8001:8000", "0.0.0.0:8001:8000", "8001"])
def test_port_for_everybody_is_noticed(mutated: Callable[..., Any], port: str) -> None:
    changed = mutated("payments", "ports", [port])

    assert foreign_ports(changed["services"]["payments"]) == [port]


def test_gateway_leads_the_known_ports_to_the_services(compose: Any) -> None:
    gateway = compose["services"]["gateway"]

    assert gateway["command"] == [f"{port}={name}:8000" for name, port in FIXED_PORTS.items()]
    assert gateway["ports"] == [f"127.0.0.1:{port}:{port}" for port in FIXED_PORTS.values()]


@pytest.mark.parametrize("name", SERVICES)
def test_service_can_have_replicas(compose: Any, name: str) -> None:
    assert not {"ports", "container_name", "volumes"} & compose["services"][name].keys()


def test_no_two_containers_want_one_port(compose: Any) -> None:
    published = [port.split(":")[1] for _, it in every(compose) for port in it.get("ports", [])]

    assert len(published) == len(set(published))


def test_kafka_creates_no_topic_by_itself(compose: Any) -> None:
    kafka = compose["services"]["kafka"]["environment"]

    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert compose["services"]["topics"]["command"] == ["create-topics"]
    assert "localhost:19092" in str(compose["services"]["kafka"]["healthcheck"])


def test_parts_are_the_images_that_the_tests_on_containers_use(compose: Any) -> None:
    images = {
        name: compose["services"][name]["image"] for name in ("kafka", "postgres", "s3", "mail")
    }

    assert images == {
        "kafka": containers.KAFKA_IMAGE,
        "postgres": containers.POSTGRES_IMAGE,
        "s3": containers.S3_IMAGE,
        "mail": containers.MAIL_IMAGE,
    }


def test_data_lies_in_named_volumes(compose: Any) -> None:
    mounts = [mount.split(":") for _, it in every(compose) for mount in it.get("volumes", [])]
    named = {source for source, *_ in mounts if not source.startswith("./")}

    assert named == compose["volumes"].keys()
    assert all(rest[-1] == "ro" for source, *rest in mounts if source.startswith("./"))
    assert ["postgres", "/var/lib/postgresql"] in mounts


def test_every_mounted_file_is_there(compose: Any) -> None:
    sources = [mount.split(":")[0] for _, it in every(compose) for mount in it.get("volumes", [])]

    assert [path for path in sources if path.startswith("./") and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", OURS)
def test_watch_rebuilds_on_existing_paths(compose: Any, name: str) -> None:
    watch = compose["services"][name]["develop"]["watch"]

    # `sync` cannot write to a read-only root.
    assert {entry["action"] for entry in watch} == {"rebuild"}
    assert all((ROOT / entry["path"]).exists() for entry in watch)
    assert f"requirements/{name}.lock" in {entry["path"] for entry in watch}


@pytest.mark.parametrize("name", OURS)
def test_image_is_built_for_its_service(compose: Any, name: str) -> None:
    service = compose["services"][name]

    assert service["image"] == f"bitloot/{name}:dev"
    assert service["build"]["context"] == "."
    assert service["build"]["args"].keys() == {"PYTHON_IMAGE", "SERVICE"}
    assert service["build"]["args"]["SERVICE"] == name
    assert f"FROM image AS run-{name}\n" in (ROOT / "Dockerfile").read_text()


def test_no_secret_stands_in_the_file(text: str, variables: dict[str, str]) -> None:
    for name in variables:
        assert re.search(rf"\$\{{{name}\W", text), f"{name} is made, but not used"
        assert not re.search(rf"\$\{{{name}:-", text), f"{name} has a default"


def test_every_secret_has_a_remedy_when_it_is_missing(text: str, variables: dict[str, str]) -> None:
    assert [
        name for name in variables if f"${{{name}:?run `make compose-env` once}}" not in text
    ] == []
