"""A pytest plugin: real PostgreSQL, Kafka, S3 and mail for tests, started when first used.

Load it with `-p stack.fixtures`. All xdist workers share one server each; the main process ends
them. `STACK=containers` takes the same parts from public container images.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from foundation.testing import configure_test_log

from stack.endpoints import KafkaServer, ObjectStore, PostgresServer
from stack.mailboxes import Mailbox
from stack.part_sources import PartSource, SharedPartSource, throwaway_parts
from stack.parts.broker_choice import Broker, choose_broker
from stack.processes import Identity, ProcessFolder
from stack.run_summary import broker_name, kind_of, summary_line
from stack.shared_parts import SharedParts, this_process

pytest_plugins = ("stack.contract_fixtures", "stack.server_fixtures")

NewDatabase = Callable[..., str]
_SHARED = pytest.StashKey[SharedParts]()
_WHOLE_STACKS = frozenset({"stack", "traced_stack"})
_NEEDS_APACHE = "needs Apache Kafka, librdkafka's broker neither restarts nor rebalances like it"


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a plain log, and a folder for its parts; workers get their main process's."""
    configure_test_log()
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:
        shared = SharedParts(Path(tempfile.mkdtemp(prefix="bitloot-tests-")), this_process())
    else:
        shared = SharedParts(Path(worker["parts_folder"]), Identity(*worker["parts_owner"]))
    config.stash[_SHARED] = shared


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a new xdist worker where the parts are."""
    shared = node.config.stash[_SHARED]
    node.workerinput["parts_folder"] = str(shared.folder)
    node.workerinput["parts_owner"] = (shared.owner.pid, shared.owner.born)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let one worker run all tests of the whole stack, so that it is started once.

    Whole stacks come first: one that waits for its tests to end takes the others' time.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if "stack" in _fixtures(item):
            item.add_marker(pytest.mark.xdist_group("stack"))
    items.sort(key=lambda item: _WHOLE_STACKS.isdisjoint(_fixtures(item)))


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> Iterator[None]:
    """End the parts when the run's main process is done, and say last of all what the run had."""
    if _SHARED not in config.stash or hasattr(config, "workerinput"):
        yield
        return
    shared = config.stash[_SHARED]
    broker = shared.known("kafka") or shared.known("kafka of the stack")
    shared.stop()
    yield
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not config.option.collectonly:
        name = broker_name(broker["kind"], broker["version"]) if broker else None
        if broker and broker["warning"]:
            terminal.write_line(broker["warning"], red=True)
        terminal.write_line(_summary(name, terminal.stats.get("skipped", [])))


def _summary(broker: str | None, reports: list[Any]) -> str:
    skipped = [(kind_of(report.keywords), _reason(report)) for report in reports]
    return summary_line(broker, skipped, on_containers=os.environ.get("STACK") == "containers")


def _reason(report: Any) -> str:
    is_skip = isinstance(report.longrepr, tuple)
    return str(report.longrepr[2]).removeprefix("Skipped: ") if is_skip else "expected to fail"


@pytest.fixture(scope="session")
def shared_parts(pytestconfig: pytest.Config) -> SharedParts:
    """The folder of this run's parts."""
    return pytestconfig.stash[_SHARED]


@pytest.fixture(scope="session")
def part_source(shared_parts: SharedParts) -> PartSource:
    """Where the parts come from: embedded, or containers with `STACK=containers`."""
    return SharedPartSource(shared_parts, throwaway_parts(shared_parts.folder))


@pytest.fixture(scope="session")
def postgres_server(part_source: PartSource) -> PostgresServer:
    """One PostgreSQL server for the whole run; `.url` is the superuser's."""
    return part_source.postgres()


@pytest.fixture(scope="session")
def new_database(postgres_server: PostgresServer) -> NewDatabase:
    """A function that makes an empty database and gives its URL.

    `new_database(template=url)` copies another database, for example one already migrated.
    """
    return postgres_server.new_database


@pytest.fixture(scope="session")
def kafka(part_source: PartSource) -> KafkaServer:
    """One broker for the whole run: `.bootstrap_servers`, `.kind`, `.create_topics([...])`."""
    return part_source.kafka()


@pytest.fixture(scope="session")
def s3(part_source: PartSource) -> ObjectStore:
    """An S3 server: `.endpoint_url`, `.bucket` (exists), `.access_key_id`, ..."""
    return part_source.object_store()


@pytest.fixture(scope="session")
def mailbox(part_source: PartSource) -> Mailbox:
    """An SMTP server: `.host`, `.port`, `.mails()`; see `stack.mailboxes`."""
    return part_source.mail().open()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test alone, not started: `.start()`, `.stop(at_once=...)`, start again."""
    processes = ProcessFolder(tmp_path)
    broker = choose_broker(processes).build(processes, quick_start=True)
    yield broker
    broker.stop(at_once=True)


@pytest.fixture(autouse=True)
def _only_on_apache_kafka(request: pytest.FixtureRequest) -> None:
    """Skip tests marked `kafka` where the broker is librdkafka's."""
    if request.node.get_closest_marker("kafka"):
        broker: KafkaServer = request.getfixturevalue("kafka")
        if broker.kind != "apache":
            pytest.skip(_NEEDS_APACHE)
