"""Every service has one shape, and the tree tells the flow."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.parent for path in (ROOT / "services").glob("*/src/*"))
CONSUMERS = [
    path for path in SERVICES if path.name != "storefront"
]  # the storefront holds no data and hears no message
FILES = ("__init__.py", "__main__.py", "bootstrap.py", "settings.py", "py.typed")
MAX_LINES = 400


def package_of(service: Path) -> Path:
    return service / "src" / service.name.replace("-", "_")


def sources() -> list[Path]:
    folders = ("libs", "services", "simulators", "tools")
    return [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts and ".venv" not in path.parts
    ]


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_service_has_the_files_every_service_has(service: Path) -> None:
    missing = [name for name in FILES if not (package_of(service) / name).is_file()]

    assert missing == []
    assert (service / "README.md").is_file()


@pytest.mark.parametrize("service", CONSUMERS, ids=lambda path: path.name)
def test_service_with_messages_has_the_layers(service: Path) -> None:
    layers = ("domain", "handlers", "adapters", "entrypoints", "migrations")

    missing = [name for name in layers if not (package_of(service) / name).is_dir()]

    assert missing == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_doors_in_are_named_by_their_kind(service: Path) -> None:
    helpers = {"__init__.py", "schemas.py", "views.py", "problems.py", "product_csv.py"}
    helpers |= {path.name for path in (package_of(service) / "entrypoints").glob("*_schemas.py")}
    doors = {path.name for path in (package_of(service) / "entrypoints").glob("*.py")} - helpers

    strangers = {name for name in doors if not name.startswith(("http_", "consume_", "job_"))}

    assert strangers == set()


@pytest.mark.parametrize("service", CONSUMERS, ids=lambda path: path.name)
def test_every_message_that_is_sent_has_its_publish_file(service: Path) -> None:
    adapters = package_of(service) / "adapters"

    emitting = [
        path.name
        for path in package_of(service).rglob("*.py")
        if "emit(" in path.read_text() and path.name != "testing.py"
    ]

    assert emitting
    assert all(name.startswith("publish_") for name in emitting), emitting
    assert {path.name for path in adapters.glob("publish_*.py")} == set(emitting)


def test_no_source_file_is_too_long_to_read() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }

    assert too_long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "src" in path.parts and path.read_text().strip() and not _has_docstring(path)
    ]

    assert silent == []


def _has_docstring(path: Path) -> bool:
    return path.read_text().lstrip().startswith(('"""', 'r"""'))
