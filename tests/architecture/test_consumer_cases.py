"""Every consumer of every service is put through the tests that all consumers share."""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from servicekit.consumer_rules import ConsumerRules
from servicekit.runtime import Service

ROOT = Path(__file__).parents[2]
SERVICES = sorted(
    {path.parents[3] for path in (ROOT / "services").glob("*/src/*/entrypoints/consume_*.py")}
)
every_service = pytest.mark.parametrize("folder", SERVICES, ids=lambda folder: folder.name)


def service_of(folder: Path) -> Service:
    package = folder.name.replace("-", "_")
    settings = import_module(f"{package}.testing").some_settings("postgresql://a:b@127.0.0.1:1/c")
    service: Service = import_module(f"{package}.bootstrap").build_service(settings)
    return service


def rules_of(folder: Path) -> type[ConsumerRules]:
    """The class that the service's tests make of the shared ones."""
    name = f"consumers_of_{folder.name.replace('-', '_')}"
    spec = spec_from_file_location(name, folder / "tests" / "component" / "test_consumers.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    rules: type[ConsumerRules] = module.TestConsumers
    return rules


def test_there_are_services_with_consumers() -> None:
    assert len(SERVICES) >= 5


@every_service
def test_every_topic_a_service_hears_has_its_case(folder: Path) -> None:
    heard = sorted(consumer.message.topic for consumer in service_of(folder).consumers)

    assert sorted(case.topic for case in rules_of(folder).cases) == heard


@every_service
def test_no_service_replaces_a_shared_test(folder: Path) -> None:
    rules = rules_of(folder)

    assert issubclass(rules, ConsumerRules)
    assert {name for name in vars(rules) if name.startswith("test_")} == set()


@every_service
def test_every_door_for_messages_is_open(folder: Path) -> None:
    doors = list((folder / "src").glob("*/entrypoints/consume_*.py"))

    assert len(doors) == len(service_of(folder).consumers)
